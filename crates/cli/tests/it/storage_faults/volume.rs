//! A small file system for one test.
//!
//! It is mounted in a user namespace, so no administrator rights are needed, and only the programs
//! started in it see the file system. It is removed at the end of the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::env::Folder;

/// A folder that is a file system of a few MiB.
pub(crate) struct Volume {
    /// Commands in this folder run in the file system's root.
    pub(crate) folder: Folder,
    /// The process that keeps the namespace and its file system alive.
    keeper: Child,
}

impl Volume {
    /// # Panics
    /// If nothing can be mounted on this system; the message says what is missing.
    pub(crate) fn new(mebibytes: usize) -> Self {
        let mut folder = Folder::new();
        let directory = folder.path("").display().to_string();
        let mount = format!(
            "mount -t tmpfs -o size={mebibytes}m zoop '{directory}' && echo mounted && exec cat"
        );
        let mut keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &mount])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (util-linux) runs");
        let mut line = String::new();
        let stdout = keeper.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("its output");
        assert_eq!(
            line, "mounted\n",
            "these tests mount a small file system in a namespace of their own, which this system \
             refuses: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 or \
             kernel.apparmor_restrict_unprivileged_userns=0; in a container \
             --security-opt seccomp=unconfined)"
        );
        let id = keeper.id().to_string();
        let enter = ["nsenter", "--preserve-credentials", "--user", "--mount", "--target", &id];
        let at = format!("--chdir={directory}");
        let launcher = enter.iter().chain(&["env", &at]).map(|&word| word.to_owned()).collect();
        folder.launch_with(launcher);
        Self { folder, keeper }
    }

    /// The path by which this process reaches a file of the volume.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let inside = self.folder.path(name);
        let inside = inside.strip_prefix("/").expect("an absolute path");
        PathBuf::from(format!("/proc/{}/root", self.keeper.id())).join(inside)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// Fills all remaining space, to the last byte.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.path("ballast")).expect("a file");
        for bytes in [1 << 16, 1 << 12, 1] {
            while ballast.write_all(&vec![0; bytes]).is_ok() {}
        }
    }

    /// Frees the space that [`Volume::fill`] has taken.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path("ballast")).expect("it was full");
    }

    /// Remounts the file system: read-only (`ro`), writable (`rw`), or with another size (`size=9m`). For `ro` and
    /// `rw`, no file on it may be open.
    pub(crate) fn remount(&self, option: &str) {
        let directory = self.folder.path("").display().to_string();
        let status = Command::new("nsenter")
            .args(["--preserve-credentials", "--user", "--mount"])
            .args(["--target", &self.keeper.id().to_string()])
            .args(["mount", "-o", &format!("remount,{option}"), &directory])
            .status();
        assert!(status.expect("nsenter (util-linux) runs").success());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // The process may already have ended. The file system is removed with its last process.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
