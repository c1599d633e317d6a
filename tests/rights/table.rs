//! One call after the other: everybody asks for everything, and what differs from the model is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::model::{Caller, Subject, callers, subjects};
use super::scene::{DATA, Scene};
use crate::harness::{Client, Request, Response};

/// What a call does, so what has to be prepared for it and looked at after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Looks at an image, which is the same for all.
    Read,
    /// Downloads what is not in the cache.
    Cold,
    /// Downloads what is.
    Hit,
    /// Changes an image: whoever may gets one of his own. What is denied leaves no trace.
    Change,
}

/// A call about an image.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) api: &'static str,
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    /// The statuses of images for which it is tried; `protected` ones are active.
    pub(super) statuses: &'static [&'static str],
    pub(super) ask: fn(&Call<'_>) -> Response,
    pub(super) expected: fn(&Caller, &Subject) -> u16,
}

/// Somebody on his way to an image.
pub(super) struct Call<'a> {
    pub(super) client: &'a Client,
    pub(super) id: &'a str,
    api: &'static str,
    scene: &'a Scene,
}

impl Call<'_> {
    /// The image's path, or one below it.
    pub(super) fn path(&self, below: &str) -> String {
        format!("/{}/images/{}{below}", self.api, self.id)
    }

    pub(super) fn get(&self, below: &str) -> Response {
        self.client.get(&self.path(below))
    }

    pub(super) fn put(&self, below: &str) -> Request {
        self.client.put(&self.path(below))
    }

    /// The image's path in the management of the cache.
    pub(super) fn cache(&self) -> String {
        format!("/v2/cache/{}", self.id)
    }

    /// Where other data lies.
    pub(super) fn elsewhere(&self) -> String {
        self.scene.elsewhere(self.id)
    }
}

impl Operation {
    /// v2 lets in nobody without an identity (policy-and-auth §1.2).
    fn expected(&self, caller: &Caller, image: &Subject) -> u16 {
        if caller.nobody && self.api == "v2" { 401 } else { (self.expected)(caller, image) }
    }

    fn subjects(&self) -> Vec<Subject> {
        let of = |status: &&'static str| match *status {
            "protected" => subjects("active").into_iter().map(|image| Subject { protected: true, ..image }).collect(),
            status => subjects(status),
        };
        self.statuses.iter().flat_map(of).collect()
    }
}

/// Everybody makes each of these calls; how many cells of the table that were, and what is not as the model says.
pub(super) fn compare(scene: &Scene, operations: &[Operation]) -> (usize, Vec<String>) {
    let rows: Vec<Row<'_>> = operations
        .iter()
        .flat_map(|operation| operation.subjects().into_iter().map(move |subject| Row { scene, operation, subject }))
        .collect();
    let callers: Vec<(Caller, Client)> = callers().into_iter().map(|caller| (caller, scene.client(&caller))).collect();
    let next = AtomicUsize::new(0);
    let some_rows = || {
        let mut deviations = Vec::new();
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            row.compare(&callers, &mut deviations);
        }
        deviations
    };
    let deviations = thread::scope(|scope| {
        let threads: Vec<_> = (0..scene.threads()).map(|_| scope.spawn(some_rows)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    (rows.len() * callers.len(), deviations)
}

/// A call for one image, by everybody.
struct Row<'a> {
    scene: &'a Scene,
    operation: &'a Operation,
    subject: Subject,
}

impl Row<'_> {
    fn compare(&self, callers: &[(Caller, Client)], deviations: &mut Vec<String>) {
        let known = deviations.len();
        if self.ask(callers, false, deviations) {
            // Somebody did what he was told he may not: once more, to tell who.
            let first = deviations.split_off(known);
            self.ask(callers, true, deviations);
            if deviations.len() == known {
                deviations.extend(first);
                deviations.push({
                    let Operation { api, name, .. } = self.operation;
                    format!("{api} {name} of {}: denied calls left traces, but not once more", self.subject)
                });
            }
        }
    }

    /// Whether calls that were denied have left traces. If they are looked for each time, they are among the deviations.
    fn ask(&self, callers: &[(Caller, Client)], each_time: bool, deviations: &mut Vec<String>) -> bool {
        let id = self.image();
        let mut before = self.scene.state(&id);
        let mut hits = 0;
        for (caller, client) in callers {
            let expected = self.operation.expected(caller, &self.subject);
            let own = (self.operation.kind == Kind::Change && expected < 300).then(|| self.image());
            let call = Call { client, id: own.as_deref().unwrap_or(&id), api: self.operation.api, scene: self.scene };
            let answer = (self.operation.ask)(&call);
            if answer.status != expected {
                deviations.push(self.tell(caller, &format!("{} instead of {expected}", answer.status)));
            }
            if matches!(self.operation.kind, Kind::Cold | Kind::Hit) && answer.status == 200 {
                hits += 1;
                if answer.body != DATA {
                    deviations.push(self.tell(caller, "other data"));
                }
                if self.operation.kind == Kind::Cold {
                    self.scene.admin.delete(&format!("/v2/cache/{id}")).expect(204);
                }
            }
            if each_time && own.is_none() {
                let now = self.scene.state(&id);
                if now != before {
                    deviations.push(self.tell(caller, "left traces"));
                    before = now;
                }
            }
        }
        if self.operation.kind == Kind::Hit && self.scene.hits(&id) != Some(hits) {
            let Operation { api, name, .. } = self.operation;
            deviations.push(format!("{api} {name} of {}: not {hits} hits", self.subject));
        }
        !each_time && self.scene.state(&id) != before
    }

    fn image(&self) -> String {
        let id = self.scene.image(&self.subject, "table");
        if self.operation.kind == Kind::Hit {
            self.scene.admin.get(&format!("/v2/images/{id}/file")).expect(200);
        }
        id
    }

    fn tell(&self, caller: &Caller, what: &str) -> String {
        let Operation { api, name, kind, .. } = self.operation;
        let how = if matches!(kind, Kind::Cold | Kind::Hit) { format!(" ({kind:?})") } else { String::new() };
        format!(
            "{api:<3}{:<30}{:<36}{:<44}{what}",
            format!("{name}{how}"),
            self.subject.to_string(),
            caller.to_string()
        )
    }
}
