//! Images that were read, for as long as the file has not changed since.
//!
//! SQLite tells by a number whether anybody has committed anything (`PRAGMA data_version`, which looks into the memory that
//! all who have the file open share). To ask for it costs a tenth of reading an image anew, and is as good.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::prompt::Counted;
use crate::model::{Image, ImageId};

/// Images that are kept, and the properties, tags and locations that one of them may have.
const MOST: usize = 2048;
const MOST_CHILDREN: usize = 128;

/// What was read of one file.
#[derive(Debug, Clone)]
pub(super) struct Remembered(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    file: PathBuf,
    /// Numbers of different connections cannot be compared: all are asked of this one.
    watching: Option<Counted>,
    version: Version,
    images: HashMap<ImageId, Arc<Image>>,
}

/// A state of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::db::sql) struct Version {
    /// Which of the connections that were watching said so.
    watching: u64,
    number: i64,
}

/// What there is to know of an image before it is read.
#[derive(Debug)]
pub(in crate::db::sql) enum Memory {
    /// It was read, and is the same still.
    Image(Arc<Image>),
    /// It has to be read; what is found then may be remembered of this state or a later one.
    None(Version),
    /// It has to be read, and not to be remembered.
    Unsure,
}

impl Remembered {
    /// Remembers what is read of `file`.
    pub(super) fn of(file: PathBuf) -> Self {
        let (watching, images) = (None, HashMap::new());
        Self(Arc::new(Mutex::new(State { file, watching, version: Version::default(), images })))
    }

    /// The image `id`, as the file has it now.
    pub(super) fn image(&self, id: &ImageId) -> Memory {
        let mut state = self.state();
        match state.look() {
            None => Memory::Unsure,
            Some(version) => state.images.get(id).map_or(Memory::None(version), |image| Memory::Image(Arc::clone(image))),
        }
    }

    /// Remembers an image that was read after the file was in state `version`. Had it changed before the image was read, the
    /// next look would tell, and nobody gets what was remembered before.
    pub(super) fn keep(&self, version: Version, image: &Image) {
        let mut state = self.state();
        let children = image.properties.len() + image.tags.len() + image.locations.len();
        if state.version != version || children > MOST_CHILDREN {
            return;
        }
        if state.images.len() == MOST {
            state.images.clear();
        }
        state.images.insert(image.id.clone(), Arc::new(image.clone()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The state that the file is in; what was read in another is forgotten. `None` if it cannot be told.
    fn look(&mut self) -> Option<Version> {
        let connection = match self.watching.take() {
            Some(connection) => connection,
            None => {
                let connection = Counted::open(&self.file).ok()?;
                self.version = Version { watching: self.version.watching + 1, number: connection.data_version().ok()? };
                self.images.clear();
                connection
            }
        };
        // One that fails is not asked again.
        let number = connection.data_version().ok()?;
        self.watching = Some(connection);
        if number != self.version.number {
            self.images.clear();
            self.version.number = number;
        }
        Some(self.version)
    }
}
