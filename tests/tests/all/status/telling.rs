//! What a run tells of itself, and what it keeps to itself.

use super::world::{Place, StatusWorld, everywhere};
use crate::support::Backend;

everywhere!(a_dry_run_tells_all_and_does_nothing, a_run_without_mail_settings_does_not_start_on_postgres);

fn a_dry_run_tells_all_and_does_nothing(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "en", "2027-03-25");
    world.subscribe("cola", "en", "2027-03-20");
    world.subscribe("dona", "en", "2027-03-15");
    world.subscribe("fern", "en", "2027-03-05");
    let expected = [("bell", "reminded"), ("cola", "urgently_reminded"), ("dona", "warned"), ("fern", "suspended")];
    for (at, arguments) in
        [("2027-03-18", &["--dry-run"][..]), ("2027-01-05", &["--dry-run", "--as-of", "2027-03-18T09:00:00Z"])]
    {
        let ran = world.start(at, arguments).end().with_code(0);
        for (tenant, outcome) in expected {
            assert_eq!(ran.outcome(tenant), outcome, "{tenant}: {ran:#?}");
        }
        assert!(ran.ended.stdout.contains("dry run, nothing was written"), "{ran:#?}");
        assert!(ran.ended.stdout.contains("would suspend"), "{ran:#?}");
    }
    assert_eq!((world.ledger(), world.mails.connections()), (Vec::new(), 0), "nobody is told");
    assert!(world.is_active("fern"));
    let ran = world.start("2027-03-18", &["--as-of", "2027-03-18T09:00:00Z"]).end().with_code(2);
    assert!(ran.ended.stderr.contains("--dry-run"), "{ran:#?}");

    let ran = world.start("2027-03-18", &["-q"]).end().with_code(0);
    assert_eq!((ran.ended.stdout.as_str(), ran.ended.stderr.as_str()), ("", ""), "all is well");
    assert_eq!(ran.report["notices"]["delivered"], 4);
    let _ = world.run("2027-03-18");
    let ran = world.run("2027-03-18");
    assert!(ran.ended.stdout.contains("1 in grace (1 warned today already)"), "{ran:#?}");
}

fn a_run_without_mail_settings_does_not_start_on_postgres(place: Place) {
    let Some(mut world) = StatusWorld::new(place) else { return };
    world.subscribe("fern", "en", "2027-03-05");
    world.settings.retain(|(name, _)| !name.starts_with("EMAIL_"));
    if world.world.backend() == Backend::Sqlite {
        let _ = world.run("2027-03-18").with_code(0);
        let folder = world.world.installation.folder.join("data").join("notices");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        let text = std::fs::read_to_string(&files[0]).unwrap();
        assert!(text.contains("To: \"Admin of fern\"") || text.contains("To: Admin of fern"), "{text}");
        return;
    }
    let ran = world.run("2027-03-18").with_code(2);
    assert!(ran.ended.stderr.contains("EMAIL_HOST"), "{ran:#?}");
    assert!(world.is_active("fern"), "nobody is suspended who cannot be told");
    let _ = world.start("2027-03-18", &["--dry-run"]).end().with_code(0);
    // Another job only says that something waits.
    world.set("EMAIL_HOST", "localhost");
    world.set("EMAIL_PORT", "nine");
    let ran = world.run("2027-03-18").with_code(2);
    assert!(ran.ended.stderr.contains("EMAIL_PORT"), "{ran:#?}");
}
