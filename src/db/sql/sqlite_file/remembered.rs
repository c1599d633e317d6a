//! Images and pages of lists that were read, for as long as the file has not changed since.
//!
//! SQLite tells by a number whether anybody has committed anything (`PRAGMA data_version`, which looks into the memory that
//! all who have the file open share). To ask for it costs a tenth of reading an image anew, and a hundredth of a page, and
//! is as good.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::prompt::Counted;
use crate::model::{Context, Image, ImageId, Listing, Location};

/// Images that are kept, and the bytes of text that one of them may have.
const MOST: usize = 2048;
const LARGEST: usize = 16 * 1024;
/// Pages that are kept, and the images of one of them: those of a page for which nobody has asked for more.
const MOST_PAGES: usize = 64;
const LONGEST_PAGE: usize = 25;

/// Whose page of what.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::db::sql) struct PageKey {
    reader: Context,
    listing: Listing,
}

impl PageKey {
    /// The page that `reader` asks for, in whatever request and by whatever token.
    pub(in crate::db::sql) fn of(reader: &Context, listing: &Listing) -> Self {
        let reader = Context { request_id: None, auth_token: None, ..reader.clone() };
        Self { reader, listing: listing.clone() }
    }
}

/// What was read of one file.
#[derive(Debug, Clone)]
pub(in crate::db::sql) struct Remembered(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    file: PathBuf,
    /// Numbers of different connections cannot be compared: all are asked of this one.
    watching: Option<Counted>,
    version: Version,
    images: HashMap<ImageId, Arc<Image>>,
    pages: HashMap<PageKey, Arc<Vec<Image>>>,
}

/// A state of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::db::sql) struct Version {
    /// Which of the connections that were watching said so.
    watching: u64,
    number: i64,
}

/// What there is to know of an image or a page before it is read.
#[derive(Debug)]
pub(in crate::db::sql) enum Memory<T> {
    /// It was read, and is the same still.
    Same(Arc<T>),
    /// It has to be read; what is found then may be remembered of this state or a later one.
    None(Version),
    /// It has to be read, and not to be remembered.
    Unsure,
}

impl Remembered {
    /// Remembers what is read of `file`.
    pub(super) fn of(file: PathBuf) -> Self {
        let (version, images, pages) = (Version::default(), HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(State { file, watching: None, version, images, pages })))
    }

    /// The image `id`, as the file has it now.
    pub(in crate::db::sql) fn image(&self, id: &ImageId) -> Memory<Image> {
        let mut state = self.state();
        let version = state.look();
        Memory::of(state.images.get(id), version)
    }

    /// A page, as the file has it now.
    pub(in crate::db::sql) fn page(&self, key: &PageKey) -> Memory<Vec<Image>> {
        let mut state = self.state();
        let version = state.look();
        Memory::of(state.pages.get(key), version)
    }

    /// Remembers an image that was read after the file was in state `version`. Had it changed before the image was read, the
    /// next look would tell, and nobody gets what was remembered before.
    pub(in crate::db::sql) fn keep(&self, version: Version, image: &Image) {
        let mut state = self.state();
        if state.version == version && is_small(image) {
            make_room(&mut state.images, MOST);
            state.images.insert(image.id.clone(), Arc::new(image.clone()));
        }
    }

    /// The same of a page.
    pub(in crate::db::sql) fn keep_page(&self, version: Version, key: PageKey, page: &[Image]) {
        let mut state = self.state();
        if state.version == version && page.len() <= LONGEST_PAGE && page.iter().all(is_small) {
            make_room(&mut state.pages, MOST_PAGES);
            state.pages.insert(key, Arc::new(page.to_vec()));
        }
    }

    /// How many pages are kept.
    #[cfg(test)]
    pub(in crate::db::sql) fn pages(&self) -> usize {
        self.state().pages.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Memory<T> {
    fn of(kept: Option<&Arc<T>>, version: Option<Version>) -> Self {
        match (kept, version) {
            (_, None) => Self::Unsure,
            (Some(kept), _) => Self::Same(Arc::clone(kept)),
            (None, Some(version)) => Self::None(version),
        }
    }
}

/// It does not take the place of hundreds.
fn is_small(image: &Image) -> bool {
    let property = |(name, value): (&String, &Option<String>)| name.len() + value.as_ref().map_or(0, String::len);
    let notes = |location: &Location| serde_json::to_string(&location.metadata).map_or(LARGEST, |notes| notes.len());
    let texts = image.properties.iter().map(property).chain(image.tags.iter().map(String::len));
    let places = image.locations.iter().map(|location| location.uri.len() + notes(location));
    // However short, each takes its place.
    texts.chain(places).map(|bytes| bytes + 64).sum::<usize>() <= LARGEST
}

/// Forgets everything when there is no room: who is asked for often is soon back.
fn make_room<K, V>(kept: &mut HashMap<K, V>, most: usize) {
    if kept.len() >= most {
        kept.clear();
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
                self.forget();
                connection
            }
        };
        // One that fails is not asked again.
        let number = connection.data_version().ok()?;
        self.watching = Some(connection);
        if number != self.version.number {
            self.forget();
            self.version.number = number;
        }
        Some(self.version)
    }

    fn forget(&mut self) {
        self.images.clear();
        self.pages.clear();
    }
}
