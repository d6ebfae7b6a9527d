//! Panics, none of which may go unseen. A run goes on after one in a task, as it should: it costs nobody else anything.
//! But it is a bug wherever it happens, and so a broken promise here.
//!
//! Several simulations may live in one process. A panic belongs to the simulation of the thread that it happens on, and
//! threads for blocking calls belong to the simulation that has started them (see [`crate::gate`]). What a mailbox is
//! synced with besides are threads of the run's own; what panics there the run itself reports of its mailbox, which
//! breaks a promise as well.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

thread_local! {
    static HERE: RefCell<Option<Panics>> = const { RefCell::new(None) };
}

/// The panics of one simulation.
#[derive(Clone, Debug, Default)]
pub struct Panics {
    seen: Arc<Mutex<Vec<String>>>,
    /// Whether they are what is looked for, so that nothing is printed.
    expected: bool,
}

/// As long as it lives, this thread is a simulation's.
#[derive(Debug)]
pub struct Watched(Option<Panics>);

impl Drop for Watched {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

impl Panics {
    /// Those of a simulation.
    #[must_use]
    pub fn new(expected: bool) -> Self {
        install();
        Self { expected, ..Self::default() }
    }

    /// Those of the simulation that this thread belongs to.
    #[must_use]
    pub fn here() -> Option<Self> {
        HERE.with_borrow(Clone::clone)
    }

    /// This thread is the simulation's, until what is returned goes.
    #[must_use]
    pub fn watched(&self) -> Watched {
        Watched(HERE.replace(Some(self.clone())))
    }

    /// This thread is the simulation's, for as long as it lives.
    pub fn watch_for_good(&self) {
        HERE.set(Some(self.clone()));
    }

    /// Takes what was seen since it was taken last.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.seen))
    }
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !see(panic) {
                print(panic);
            }
        }));
    });
}

/// Remembers a panic; says whether it was expected.
fn see(panic: &PanicHookInfo<'_>) -> bool {
    let what = panic.payload_as_str().unwrap_or("something");
    let file = panic.location().map_or("", |location| location.file());
    let text = format!("{what} ({file}:{})", panic.location().map_or(0, |location| location.line()));
    let here = HERE.try_with(|here| here.try_borrow().ok().and_then(|here| here.clone()));
    let Some(panics) = here.ok().flatten() else { return false };
    lock(&panics.seen).push(text);
    panics.expected
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use jiff::Timestamp;

    use super::*;
    use crate::gate::{self, Gate};
    use crate::time::TrueTime;

    /// Panics in a task and on a thread for blocking calls, both of which are caught.
    fn panics_of(name: &'static str) -> Vec<String> {
        let panics = Panics::new(true);
        let _watched = panics.watched();
        let time = TrueTime::starting_at(Timestamp::UNIX_EPOCH);
        gate::run(&time, &Arc::new(Gate::opened()), async move {
            let task = tokio::spawn(async move { panic!("a task of {name}") });
            let blocking = tokio::task::spawn_blocking(move || panic!("a thread of {name}"));
            assert!(task.await.is_err() && blocking.await.is_err());
        });
        panics.take()
    }

    #[test]
    fn each_simulation_sees_its_own() {
        let both = thread::scope(|scope| {
            let both = ["one", "another"].map(|name| scope.spawn(move || (name, panics_of(name))));
            both.map(|thread| thread.join().unwrap())
        });
        for (name, seen) in both {
            assert_eq!(seen.len(), 2, "{seen:?}");
            assert!(seen.iter().all(|text| text.contains(&format!(" of {name} (tests/simulate"))), "{seen:?}");
        }
    }
}
