//! Two back ends, one behaviour: the same story told to both ends with the same answers.

use echodesk_mail::model::{Flags, Uid};
use echodesk_mail::ports::MailStore;

use crate::world::{World, batch, flagged, item, now, reduced, unreadable};

/// A small generator of numbers (xorshift), so that the story is the same on both.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(sides)).unwrap()
    }
}

fn story(world: &World, seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut log = Vec::new();
    let (store, key, lease) = (&world.store, world.key(), &world.lease);
    for _ in 0..60 {
        let folder = ["INBOX", "Archive", "დასტა"][dice.roll(3) as usize];
        let validity = 1 + dice.roll(2);
        match dice.roll(6) {
            0..=2 => {
                let items = (0..dice.roll(8))
                    .map(|_| {
                        let (uid, id, content) = (1 + dice.roll(30), dice.roll(5), dice.roll(4));
                        let item = match dice.roll(10) {
                            0 => unreadable(uid, "broken"),
                            1 => reduced(item(uid, &format!("<{id}@x>"), content), "too big"),
                            _ => item(uid, &format!("<{id}@x>"), content),
                        };
                        flagged(item, Flags::from_bits(i16::try_from(dice.roll(16)).unwrap()))
                    })
                    .collect();
                log.push(format!("{:?}", store.store(&world.mailbox, lease, &batch(folder, validity, items)).unwrap()));
            }
            3 => {
                let last = dice.roll(30);
                let uids = format!("{}:{}", 1 + last / 2, 1 + last).parse().unwrap();
                log.push(store.mark_gone(key, lease, folder, validity, Some(&uids), now()).unwrap().to_string());
            }
            4 => {
                let flags: Vec<_> = (0..5)
                    .map(|_| (Uid(1 + dice.roll(30)), Flags::from_bits(i16::try_from(dice.roll(16)).unwrap())))
                    .collect();
                log.push(store.update_flags(key, lease, folder, validity, &flags, now()).unwrap().to_string());
            }
            _ => log.push(format!("{:?}", store.items(key, folder, validity).unwrap())),
        }
    }
    log.push(format!("{:?}", store.cursors(key).unwrap()));
    log.extend(world.rows());
    log.extend(world.fates());
    log.extend(world.select(
        "SELECT CASE WHEN is_read THEN '1' ELSE '0' END || CASE WHEN is_starred THEN '1' ELSE '0' END \
         || CASE WHEN is_answered THEN '1' ELSE '0' END || CASE WHEN is_draft THEN '1' ELSE '0' END AS row \
         FROM social_integrations_emailmessage ORDER BY message_id",
    ));
    log
}

#[test]
fn both_back_ends_tell_the_same_story() {
    for seed in [1, 42, 4711] {
        let Some(world) = World::postgres() else { return };
        let (postgres, sqlite) = (story(&world, seed), story(&World::sqlite(), seed));
        for (postgres, sqlite) in postgres.iter().zip(&sqlite) {
            assert_eq!(postgres, sqlite, "seed {seed}");
        }
        assert_eq!(postgres.len(), sqlite.len());
    }
}
