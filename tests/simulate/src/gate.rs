//! One thing at a time, always in the same order: what makes runs with tasks and threads repeatable.
//!
//! Runs await on one thread and work with the store on others. Which of them is faster differs from time to time, so
//! every call of the store waits here until nothing else can move: all tasks wait for something, and the clock
//! stands still, since tokio's paused time does not move while a thread that may block is at work. There is one such
//! thread, so the next call is always the same one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::panics::Panics;
use crate::time::TrueTime;

/// Lets through whoever is the only one that can move.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    knocked: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How often somebody has knocked.
    asked: u64,
    /// The last knock that the tasks' thread has heard.
    heard: u64,
    /// The last knock that it had heard when it had nothing left to do.
    idle: u64,
    /// Whether everybody may pass, since the tasks' thread is gone or there is none.
    open: bool,
}

impl Gate {
    /// One that lets everybody through: for work that nothing else runs beside.
    #[must_use]
    pub fn opened() -> Self {
        let gate = Self::default();
        gate.open();
        gate
    }

    /// Waits until nothing else can move. To be called on a thread that may block.
    pub fn pass(&self) {
        let mut state = self.lock();
        if state.open {
            return;
        }
        state.asked += 1;
        let asked = state.asked;
        drop(state);
        self.knocked.notify_one();
        let mut state = self.lock();
        while state.idle < asked && !state.open {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets everybody pass from now on.
    pub fn open(&self) {
        self.lock().open = true;
        self.changed.notify_all();
    }

    async fn listen(self: Arc<Self>) {
        loop {
            self.knocked.notified().await;
            let mut state = self.lock();
            state.heard = state.asked;
        }
    }

    fn parked(&self) {
        let mut state = self.lock();
        state.idle = state.heard;
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` with tasks, threads and timers, in the world's time, which passes as fast as nothing happens.
///
/// # Panics
/// If the machine has no thread left.
pub fn run<T>(time: &TrueTime, gate: &Arc<Gate>, work: impl Future<Output = T>) -> T {
    let runtime = runtime(time, gate);
    let done = runtime.block_on(async {
        let listener = tokio::spawn(Arc::clone(gate).listen());
        let done = work.await;
        listener.abort();
        done
    });
    // Whoever still waits belongs to a process that has ended.
    gate.open();
    drop(runtime);
    done
}

#[expect(clippy::expect_used, reason = "a machine without a thread left cannot simulate")]
fn runtime(time: &TrueTime, gate: &Arc<Gate>) -> Runtime {
    let (parked, unparked) = (Arc::clone(gate), time.clone());
    let (began, start) = (time.now(), Mutex::new(None::<Instant>));
    let panics = Panics::here();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .on_thread_start(move || panics.iter().for_each(Panics::watch_for_good))
        .on_thread_park(move || parked.parked())
        .on_thread_unpark(move || {
            let now = Instant::now();
            let start = *start.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
            if let Ok(then) = began.checked_add(now - start) {
                unparked.pass_until(then);
            }
        })
        .build();
    runtime.expect("a thread can be started")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Tasks that wait, block and spawn, each writing down when it does what.
    fn play() -> Vec<String> {
        let time = TrueTime::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let (gate, told) = (Arc::new(Gate::default()), Arc::new(Mutex::new(Vec::new())));
        run(&time, &gate, async {
            let mut tasks = tokio::task::JoinSet::new();
            for task in 0..6_u64 {
                let (time, gate, told) = (time.clone(), Arc::clone(&gate), Arc::clone(&told));
                tasks.spawn(async move {
                    for round in 0..20 {
                        let (at, inside, list) = (time.clone(), Arc::clone(&gate), Arc::clone(&told));
                        let blocking = tokio::task::spawn_blocking(move || {
                            inside.pass();
                            list.lock().unwrap().push(format!("{task} blocks in {round} at {}", at.now()));
                        });
                        blocking.await.unwrap();
                        told.lock().unwrap().push(format!("{task} goes on in {round} at {}", time.now()));
                        if (task + round) % 3 == 0 {
                            tokio::time::sleep(Duration::from_millis(task * 7 + round)).await;
                        }
                    }
                });
            }
            while tasks.join_next().await.is_some() {}
        });
        Arc::into_inner(told).unwrap().into_inner().unwrap()
    }

    #[test]
    fn tasks_and_threads_take_turns_in_the_same_order_every_time() {
        let first = play();
        assert_eq!(first.len(), 240);
        assert!(first.last().unwrap().contains("T00:00:00."), "time has passed: {:?}", first.last());
        for _ in 0..20 {
            assert_eq!(play(), first);
        }
    }

    #[test]
    fn who_waits_when_all_is_over_is_let_go() {
        let time = TrueTime::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let gate = Arc::new(Gate::default());
        let inside = Arc::clone(&gate);
        run(&time, &gate, async move {
            drop(tokio::task::spawn_blocking(move || (0..3).for_each(|_| inside.pass())));
        });
        gate.pass();
    }
}
