//! What the agent does about decisions.

use std::path::Path;

use crate::{
    cli::client,
    detection::{DetectionId, State, TighteningId},
    protocol::{Request, TightenTarget, views::Reloaded},
    tighten::Overlay,
};

/// What becomes of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tighten {
    /// It takes away.
    Apply,
    /// It is put on trial.
    Try,
    /// It is not proposed again.
    Decline,
}

/// What the agent does about decisions. Every error is one of asking it.
pub(super) trait Agent {
    /// Notes how far people are with detections, with all or with none.
    fn settle(&mut self, ids: &[DetectionId], state: State) -> anyhow::Result<()>;
    /// Decides of a proposal, and returns what became of it.
    fn tighten(&mut self, id: TighteningId, how: Tighten) -> anyhow::Result<Vec<Overlay>>;
    /// Loads the profiles of its folder.
    fn reload(&mut self) -> anyhow::Result<Reloaded>;
    /// Loads a profile from elsewhere.
    fn load(&mut self, text: &str, file: &Path) -> anyhow::Result<Reloaded>;
}

/// The agent that listens on a socket.
pub(super) struct OverSocket<'a>(pub(super) &'a Path);

impl Agent for OverSocket<'_> {
    fn settle(&mut self, ids: &[DetectionId], state: State) -> anyhow::Result<()> {
        let request = Request::Settle {
            detections: ids.to_vec(),
            state,
        };
        let _ids: Vec<DetectionId> = client::call(self.0, &request)?;
        Ok(())
    }

    fn tighten(&mut self, id: TighteningId, how: Tighten) -> anyhow::Result<Vec<Overlay>> {
        let request = match how {
            Tighten::Apply => Request::TightenApply {
                target: TightenTarget::Tightening(id),
            },
            Tighten::Try => Request::TightenTry { id },
            Tighten::Decline => Request::TightenDecline { id },
        };
        Ok(client::call(self.0, &request)?)
    }

    fn reload(&mut self) -> anyhow::Result<Reloaded> {
        Ok(client::call(self.0, &Request::Reload)?)
    }

    fn load(&mut self, text: &str, file: &Path) -> anyhow::Result<Reloaded> {
        let request = Request::Load {
            text: text.to_owned(),
            file: file.display().to_string(),
        };
        Ok(client::call(self.0, &request)?)
    }
}
