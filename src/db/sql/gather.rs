//! Single images read together: those that are asked for while the database is busy with others go into one statement.
//!
//! Every read begins after it was asked for, so nobody gets an older record than by a statement of his own. What it saves
//! is journeys to the database, which cost more than the query: each download begins with one.
//!
//! A statement that does not end (its connection is half-open, say) holds up only those whose images are in it.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::pool::{Pool, Session};
use super::retry::{ATTEMPT, Retry, no_answer};
use super::rows;
use super::sqlite_file::{Memory, SqliteFile};
use crate::db::{Error, Result};
use crate::model::{Image, ImageId};

/// Statements at a time. More would only gather less.
const STATEMENTS: usize = 2;
/// Images in one statement.
const MOST: usize = 64;
/// A statement that takes longer does not keep others from running beside it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The reads of one database.
#[derive(Debug, Clone)]
pub(super) struct Gather {
    retry: Retry,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: Vec<Waiting>,
}

/// Somebody who wants an image.
#[derive(Debug)]
struct Waiting {
    id: ImageId,
    answer: oneshot::Sender<Result<Option<Image>>>,
}

impl Gather {
    pub(super) fn new(retry: Retry) -> Self {
        Self { retry, state: Arc::default() }
    }

    /// The image `id` with its children, whoever may see it; `None` if there is none.
    pub(super) async fn image(&self, pool: &Pool, id: &ImageId) -> Result<Option<Image>> {
        if let Some(file) = pool.file() {
            return self.image_of(file, id).await;
        }
        let (answer, answered) = oneshot::channel();
        self.state().waiting.push(Waiting { id: id.clone(), answer });
        self.begin(pool);
        match timeout(ATTEMPT, answered).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err(Error::Internal("a read of the database was given up".to_owned())),
            Err(_) => Err(no_answer()),
        }
    }

    /// The same of a file. There is nothing to gather: to wait for others would take longer than to read.
    async fn image_of(&self, file: &SqliteFile, id: &ImageId) -> Result<Option<Image>> {
        let memory = file.remembered().image(id);
        if let Memory::Same(image) = memory {
            return Ok(Some(Arc::unwrap_or_clone(image)));
        }
        let read = || async { rows::load_all(&mut Session::Reading(file.read()), std::slice::from_ref(id)).await };
        let image = self.retry.tried(read).await?.remove(id).transpose()?;
        if let (Memory::None(version), Some(image)) = (memory, &image) {
            file.remembered().keep(version, image);
        }
        Ok(image)
    }

    /// Begins to read if somebody waits and too few are reading.
    fn begin(&self, pool: &Pool) {
        {
            let mut state = self.state();
            if state.running == STATEMENTS || state.waiting.is_empty() {
                return;
            }
            state.running += 1;
        }
        // A task of its own, as others depend on it.
        let (mut reader, pool) = (Reader { gather: self.clone(), running: true }, pool.clone());
        tokio::spawn(async move { reader.run(&pool).await });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One statement after another.
struct Reader {
    gather: Gather,
    /// It counts among the running ones.
    running: bool,
}

impl Reader {
    /// Reads what is wanted until nothing is, or until it has stepped aside.
    async fn run(&mut self, pool: &Pool) {
        while self.running {
            // Those who are about to ask shall ask first: without this a busy server would still read one by one.
            tokio::task::yield_now().await;
            let Some(waiting) = self.next() else { return };
            let mut ids: Vec<ImageId> = waiting.iter().map(|waiting| waiting.id.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            let mut read =
                pin!(self.gather.retry.tried(|| async { rows::load_all(&mut pool.read().await?, &ids).await }));
            let found = match timeout(PATIENCE, &mut read).await {
                Ok(found) => found,
                Err(_) => {
                    self.step_aside();
                    self.gather.begin(pool);
                    read.await
                }
            };
            tell(waiting, &found);
        }
    }

    /// The next ones to read for. `None` if nobody waits: this one has ended then, and who comes now begins another.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut state = self.gather.state();
        let count = state.waiting.len().min(MOST);
        let next: Vec<_> = state.waiting.drain(..count).collect();
        if next.is_empty() {
            state.running -= 1;
            self.running = false;
            return None;
        }
        Some(next)
    }

    /// Leaves its place to another; what it has begun it ends.
    fn step_aside(&mut self) {
        self.gather.state().running -= 1;
        self.running = false;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // A panic, or the end of the runtime.
        if self.running {
            let mut state = self.gather.state();
            state.running -= 1;
            // Nobody reads for those who wait: that their answers are dropped tells them.
            if state.running == 0 {
                state.waiting.clear();
            }
        }
    }
}

fn tell(waiting: Vec<Waiting>, found: &Result<rows::Found>) {
    for Waiting { id, answer } in waiting {
        // Whoever does not listen any more needs no answer.
        let _ = answer.send(match found {
            Ok(images) => images.get(&id).cloned().transpose(),
            Err(error) => Err(error.clone()),
        });
    }
}
