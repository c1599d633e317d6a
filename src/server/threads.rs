//! The threads that connections live on. Each connection stays on its own from accept to close, with all that its
//! requests begin: handed to and fro between threads, small hits cost a third more (bench/RESULTS.md).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::LEFTOVERS;

/// Connections that may wait for a thread that is busy; then accepting waits as well.
const WAITING: usize = 256;

/// A connection, served by being awaited.
type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a thread is told.
enum Order {
    /// Serve the connection that this makes.
    Serve(Box<dyn FnOnce() -> Served + Send>),
    /// Drop all connections, and tell when that is done.
    Cut(oneshot::Sender<()>),
}

/// All of them. Dropped, they end, and whatever still runs on them.
#[derive(Debug)]
pub(super) struct Threads(Vec<Thread>);

#[derive(Debug)]
struct Thread {
    /// `None` only while it is dropped.
    orders: Option<mpsc::Sender<Order>>,
    /// Connections that live on it.
    load: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Threads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// The system has none left.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        (0..count.max(1)).map(|_| Thread::start()).collect::<io::Result<_>>().map(Self)
    }

    /// Has the thread with the fewest connections serve the one that `begin` makes there.
    pub(super) async fn serve<F>(&self, begin: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(thread) = self.0.iter().min_by_key(|thread| thread.load.load(Ordering::Relaxed)) else { return };
        let living = Living::on(thread);
        thread
            .tell(Order::Serve(Box::new(move || {
                let served = begin();
                Box::pin(async move {
                    served.await;
                    drop(living);
                })
            })))
            .await;
    }

    /// Drops all connections; when this returns none is left. Streams of HTTP/2 see that when they are next looked at.
    pub(super) async fn cut(&self) {
        for thread in &self.0 {
            let (done, is_done) = oneshot::channel();
            thread.tell(Order::Cut(done)).await;
            // A thread that ended has no connections either.
            let _ = is_done.await;
        }
    }
}

/// One of a thread's connections.
struct Living(Arc<AtomicUsize>);

impl Living {
    fn on(thread: &Thread) -> Self {
        thread.load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&thread.load))
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (orders, told) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name("connections".to_owned()).spawn(move || live(runtime, told))?;
        Ok(Self { orders: Some(orders), load: Arc::default(), thread: Some(thread) })
    }

    async fn tell(&self, order: Order) {
        if let Some(orders) = &self.orders
            && orders.send(order).await.is_err()
        {
            tracing::error!("a thread that serves connections has ended");
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // All are told to end before one is waited for, as each may take its time.
        self.0.iter_mut().for_each(|thread| thread.orders = None);
        for thread in self.0.iter_mut().filter_map(|thread| thread.thread.take()) {
            // Fails only if it panicked, which is told then.
            let _ = thread.join();
        }
    }
}

/// The life of a thread.
fn live(runtime: Runtime, mut orders: mpsc::Receiver<Order>) {
    runtime.block_on(async {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Serve(begin)) => drop(connections.spawn(begin())),
                    Some(Order::Cut(done)) => {
                        connections.shutdown().await;
                        // For these to be looked at.
                        tokio::task::yield_now().await;
                        // Whoever does not listen any more needs no answer.
                        let _ = done.send(());
                    }
                    None => return,
                },
                // Ended connections are kept until somebody looks.
                Some(_) = connections.join_next() => {}
            }
        }
    });
    runtime.shutdown_timeout(LEFTOVERS);
}
