//! Who is told of changes: `[DEFAULT]`, `[oslo_messaging_notifications]` (v1-system §5.4, operations §9).

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::notify::{Channel, Notifier, Settings, Unknown};

static NOTIFIER_STRATEGY: Opt = Opt::str("DEFAULT", "notifier_strategy")
    .default("default")
    .empty_is_unset()
    .help("Who is told of changes: noop, default (nobody), logging");
static DRIVER: Opt = Opt::multi("oslo_messaging_notifications", "driver")
    .deprecated(&[("DEFAULT", "notification_driver")])
    .help("Who else is told of changes: noop, log; may be given several times. There is no messaging yet");
static DEFAULT_PUBLISHER_ID: Opt = Opt::str("DEFAULT", "default_publisher_id")
    .default("image.localhost")
    .empty_is_unset()
    .help("Whom notifications of `driver` name as their author");
static DISABLED_NOTIFICATIONS: Opt = Opt::list("DEFAULT", "disabled_notifications")
    .default("")
    .help("Events that nobody is told of, as image.update, or all of a group, as image");

pub(super) static OPTIONS: &[&Opt] = &[&NOTIFIER_STRATEGY, &DRIVER, &DEFAULT_PUBLISHER_ID, &DISABLED_NOTIFICATIONS];

impl Loaded {
    /// Whom `driver` names.
    pub(super) fn notification_drivers(&self) -> Result<Vec<Channel>> {
        let mut channels = Vec::new();
        for driver in self.conf.multi(&DRIVER)? {
            let driver = driver.trim();
            if !driver.is_empty() {
                channels.extend(Channel::of_driver(driver).map_err(invalid("[oslo_messaging_notifications] driver"))?);
            }
        }
        Ok(channels)
    }

    /// Who is told of changes.
    pub(crate) fn notifier(&self) -> Result<Notifier> {
        let conf = &self.conf;
        let strategy = conf.str(&NOTIFIER_STRATEGY)?.unwrap_or_default();
        let mut channels = Vec::new();
        channels.extend(Channel::of_strategy(&strategy).map_err(invalid("notifier_strategy"))?);
        channels.extend(self.notification_drivers()?);
        Ok(Notifier::new(Settings {
            channels,
            publisher: conf.str(&DEFAULT_PUBLISHER_ID)?.unwrap_or_default(),
            disabled: conf.list(&DISABLED_NOTIFICATIONS)?.into_iter().collect(),
        }))
    }
}

fn invalid(option: &'static str) -> impl Fn(Unknown) -> Error {
    move |unknown| Error::Invalid { option, reason: unknown.to_string() }
}
