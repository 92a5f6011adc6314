//! Files on notes, without their content.

use std::time::Instant;

use sha2::{Digest, Sha256};

use super::{Caller, TIMEOUT, TestEnv};
use crate::business::files::tools::add::{AddFiles, StoredFile};
use crate::business::files::{Attachment, Content, FileName};
use crate::call::error::Result;
use crate::call::run::Runner;
use crate::values::clock::Environment;
use crate::values::id::{self, Id, kinds};

impl TestEnv {
    /// Adds a file to a note. See [`Self::add_files`].
    ///
    /// # Errors
    /// The tool's error.
    ///
    /// # Panics
    /// If the content is of no type that is accepted.
    pub fn add_file(
        &self,
        caller: &Caller,
        note: &str,
        name: &str,
        content: &[u8],
    ) -> Result<Attachment> {
        let added = self.add_files(caller, note, &[(name, content)])?;
        Ok(added.into_iter().next().expect("the file"))
    }

    /// Adds files to a note, as the server does once it has stored the content. It does not count as a note write, so
    /// that the samples leave the limit to the tests.
    ///
    /// # Errors
    /// The tool's error.
    ///
    /// # Panics
    /// If the content is of no type that is accepted.
    pub fn add_files(
        &self,
        caller: &Caller,
        note: &str,
        files: &[(&str, &[u8])],
    ) -> Result<Vec<Attachment>> {
        let (now, mut last) = (self.environment.clock.now(), None);
        let stored = files.iter().map(|(name, content)| {
            let mut recognized = Content::default();
            recognized.push(content).expect("content of a type that is accepted");
            let recognized = recognized.recognize().expect("content of a type that is accepted");
            let id = id::following(last, now, self.environment.entropy.bits());
            last = Some(id);
            StoredFile {
                id: Id::<kinds::File>::new(id),
                name: FileName::of(name),
                recognized,
                size: u64::try_from(content.len()).expect("a length"),
                sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(content)),
            }
        });
        let stored: Vec<_> = stored.collect();
        let arguments = crate::arguments!(AddFiles { note_id: note, files: stored });
        let deadline = Instant::now() + TIMEOUT;
        let environment = Environment { note_writes_per_minute: 0, ..self.environment.clone() };
        let runner = Runner { db: &self.db, environment: &environment, deadline };
        Ok(runner.command(caller.clone(), arguments).wait()?.output.attachments)
    }
}
