//! The commands: what each is called, asks, does and says.

use std::io::{self, BufRead, Write};

use super::api::{ApiError, CacheApi};
use super::table;

/// The part of the usage that lists the commands.
pub(super) const OVERVIEW: &str = "\
Commands:
  help <command>            Explain one of the commands below

  list-cached               List the images that are cached
  list-queued               List the images that wait to be cached
  queue-image               Queue an image for caching
  delete-cached-image       Remove an image from the cache
  delete-all-cached-images  Remove all images from the cache
  delete-queued-image       Take an image from the queue
  delete-all-queued-images  Empty the queue";

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Show what is cached.
    ListCached,
    /// Show what waits to be cached.
    ListQueued,
    /// Have an image cached by the prefetcher.
    QueueImage,
    /// Remove one image from the cache.
    DeleteCachedImage,
    /// Empty the cache.
    DeleteAllCachedImages,
    /// Take one image from the queue.
    DeleteQueuedImage,
    /// Empty the queue.
    DeleteAllQueuedImages,
}

impl Command {
    /// Finds a command by its word.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "list-cached" => Self::ListCached,
            "list-queued" => Self::ListQueued,
            "queue-image" => Self::QueueImage,
            "delete-cached-image" => Self::DeleteCachedImage,
            "delete-all-cached-images" => Self::DeleteAllCachedImages,
            "delete-queued-image" => Self::DeleteQueuedImage,
            "delete-all-queued-images" => Self::DeleteAllQueuedImages,
            _ => return None,
        })
    }

    /// What `help` says.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::ListCached => "glance-cache-manage list-cached [options]\n\nLists the images that are cached.",
            Self::ListQueued => "glance-cache-manage list-queued [options]\n\nLists the images that wait to be cached.",
            Self::QueueImage => "glance-cache-manage queue-image <IMAGE_ID> [options]\n\nQueues an image for caching.",
            Self::DeleteCachedImage => {
                "glance-cache-manage delete-cached-image <IMAGE_ID> [options]\n\nRemoves an image from the cache."
            }
            Self::DeleteAllCachedImages => {
                "glance-cache-manage delete-all-cached-images [options]\n\nRemoves all images from the cache."
            }
            Self::DeleteQueuedImage => {
                "glance-cache-manage delete-queued-image <IMAGE_ID> [options]\n\nTakes an image from the queue."
            }
            Self::DeleteAllQueuedImages => {
                "glance-cache-manage delete-all-queued-images [options]\n\nEmpties the queue."
            }
        }
    }

    /// Whether it is about one image.
    pub(super) fn needs_id(self) -> bool {
        matches!(self, Self::QueueImage | Self::DeleteCachedImage | Self::DeleteQueuedImage)
    }

    /// What is done to that one image.
    pub(super) fn verb(self) -> &'static str {
        if self == Self::QueueImage { "queue" } else { "delete" }
    }

    /// What failed, if it fails.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::ListCached => "show cached images",
            Self::ListQueued => "show queued images",
            Self::QueueImage => "queue the specified image for caching",
            Self::DeleteCachedImage => "delete the specified cached image",
            Self::DeleteAllCachedImages => "Delete all cached images",
            Self::DeleteQueuedImage => "delete the specified queued image",
            Self::DeleteAllQueuedImages => "Delete all queued images",
        }
    }

    /// What is asked before anything changes.
    fn question(self, id: &str) -> Option<String> {
        Some(match self {
            Self::ListCached | Self::ListQueued => return None,
            Self::QueueImage => format!("Queue image {id} for caching?"),
            Self::DeleteCachedImage => format!("Delete cached image {id}?"),
            Self::DeleteAllCachedImages => "Delete all cached images?".to_owned(),
            Self::DeleteQueuedImage => format!("Delete queued image {id}?"),
            Self::DeleteAllQueuedImages => "Delete all queued images?".to_owned(),
        })
    }
}

/// A node, and somebody who asks and is asked.
#[derive(Debug)]
pub(super) struct Session<I, O> {
    /// The node.
    pub(super) api: CacheApi,
    /// Answers to questions.
    pub(super) input: I,
    /// Tables, questions and reports.
    pub(super) out: O,
    /// Report changes, too.
    pub(super) verbose: bool,
    /// Ask nothing.
    pub(super) force: bool,
}

impl<I: BufRead, O: Write> Session<I, O> {
    /// Does it, unless a question is answered with no. The outer error is a terminal that has gone away.
    pub(super) fn carry_out(&mut self, command: Command, id: &str) -> io::Result<Result<(), ApiError>> {
        if let Some(question) = command.question(id)
            && !self.force
            && !self.confirmed(&question)?
        {
            return Ok(Ok(()));
        }
        match self.call(command, id) {
            Ok(report) => {
                write!(self.out, "{report}")?;
                self.out.flush()?;
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    fn confirmed(&mut self, question: &str) -> io::Result<bool> {
        write!(self.out, "{question} [y/N] ")?;
        self.out.flush()?;
        let mut answer = String::new();
        self.input.read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Calls the node; what to print about it.
    fn call(&self, command: Command, id: &str) -> Result<String, ApiError> {
        let report = match command {
            Command::ListCached => return Ok(table::cached(&self.api.cached_images()?)),
            Command::ListQueued => return Ok(table::queued(&self.api.queued_images()?)),
            Command::QueueImage => {
                self.api.queue_image(id)?;
                format!("Queued image {id} for caching\n")
            }
            Command::DeleteCachedImage => {
                self.api.delete_cached_image(id)?;
                format!("Deleted cached image {id}\n")
            }
            Command::DeleteQueuedImage => {
                self.api.delete_queued_image(id)?;
                format!("Deleted queued image {id}\n")
            }
            Command::DeleteAllCachedImages => {
                format!("Deleted {} cached images\n", self.api.delete_all_cached_images()?)
            }
            Command::DeleteAllQueuedImages => {
                format!("Deleted {} queued images\n", self.api.delete_all_queued_images()?)
            }
        };
        Ok(if self.verbose { report } else { String::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    /// An API node that knows one answer. Gives what was asked of it, and what the command printed.
    fn exchange(command: Command, answer: &str, typed: &str) -> (String, Result<String, ApiError>) {
        let node = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = node.local_addr().unwrap().port();
        let api = CacheApi::new("127.0.0.1", port, Some("secret".to_owned()), false).unwrap();
        let mut session =
            Session { api, input: typed.as_bytes(), out: Vec::new(), verbose: true, force: typed.is_empty() };
        std::thread::scope(|scope| {
            let asked = scope.spawn(move || {
                let (mut client, _) = node.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    client.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                client.write_all(answer.as_bytes()).unwrap();
                String::from_utf8(request).unwrap()
            });
            let done = session.carry_out(command, "i d").unwrap();
            (asked.join().unwrap(), done.map(|()| String::from_utf8(session.out).unwrap()))
        })
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn lists() {
        let (asked, told) = exchange(Command::ListQueued, &ok(r#"{"queued_images": ["a", "b"]}"#), "");
        assert!(asked.starts_with("GET /v1/queued_images HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_lowercase().contains("x-auth-token: secret\r\n"), "{asked}");
        assert!(told.unwrap().starts_with("Found 2 queued images...\n"));
        let (_, told) = exchange(Command::ListCached, &ok(r#"{"cached_images": []}"#), "");
        assert_eq!(told.unwrap(), "No cached images.\n");
    }

    #[test]
    fn changes_are_confirmed_sent_and_reported() {
        let (asked, told) = exchange(Command::QueueImage, &ok("null"), "YES\n");
        assert!(asked.starts_with("PUT /v1/queued_images/i%20d HTTP/1.1\r\n"), "{asked}");
        assert_eq!(told.unwrap(), "Queue image i d for caching? [y/N] Queued image i d for caching\n");
        let (asked, told) = exchange(Command::DeleteCachedImage, &ok(""), "");
        assert!(asked.starts_with("DELETE /v1/cached_images/i%20d HTTP/1.1\r\n"), "{asked}");
        assert_eq!(told.unwrap(), "Deleted cached image i d\n");
        let (_, told) = exchange(Command::DeleteAllQueuedImages, &ok(r#"{"num_deleted": 3}"#), "y\n");
        assert_eq!(told.unwrap(), "Delete all queued images? [y/N] Deleted 3 queued images\n");
    }

    #[test]
    fn refusals_have_meanings() {
        let refuse = |status: &str| {
            let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwhy\n");
            exchange(Command::ListCached, &answer, "").1.unwrap_err()
        };
        assert!(matches!(refuse("404 Not Found"), ApiError::NotEnabled));
        assert!(matches!(refuse("401 Unauthorized"), ApiError::NotAuthorized));
        assert!(matches!(refuse("403 Forbidden"), ApiError::NotAuthorized));
        assert_eq!(refuse("500 Internal Server Error").to_string(), "500 Internal Server Error\nwhy\n");
        let (_, nonsense) = exchange(Command::ListCached, &ok("[]"), "");
        assert!(matches!(nonsense.unwrap_err(), ApiError::Broken(_)));
    }
}
