//! The folder of a row, and what is made in it.

use std::{
    any::Any,
    fs,
    io::{BufRead as _, BufReader, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        linux::net::SocketAddrExt as _,
        unix::{
            fs::{PermissionsExt as _, chown, symlink},
            net::{SocketAddr, UnixDatagram, UnixListener},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use enforcer_tests::{acl, program};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, XattrFlags},
    mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change},
    net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
        SocketType,
    },
};

use super::{
    case::Make,
    tree::{self, Tree},
};

/// Where all rows are.
pub(super) const ROOT: &str = "/srv/conf";

/// What the files hold.
const CONTENTS: &str = "some contents\n";

/// The folder of a row.
pub(super) struct Site {
    folder: PathBuf,
    /// What stays as long as the row does.
    kept: Vec<Box<dyn Any>>,
    outsider: Option<Outsider>,
}

/// A process that stays outside.
struct Outsider {
    child: Child,
    descriptor: String,
    address: String,
}

impl Site {
    /// Makes a folder, and what `setup` says.
    pub(super) fn new(folder: &str, setup: &[Make]) -> Self {
        let mut site = Self {
            folder: folder.into(),
            kept: Vec::new(),
            outsider: None,
        };
        fs::create_dir_all(&site.folder).expect("make a folder; is this a guest?");
        for make in setup {
            site.make(*make);
        }
        site
    }

    /// Replaces what stands for the row's own in a text.
    pub(super) fn fill(&self, text: &str) -> String {
        let text = text.replace("{dir}", self.folder.to_str().expect("text"));
        let Some(outsider) = &self.outsider else {
            return text;
        };
        text.replace("{pid}", &outsider.child.id().to_string())
            .replace("{fd}", &outsider.descriptor)
            .replace("{address}", &outsider.address)
    }

    /// What there is now.
    pub(super) fn tree(&mut self) -> Tree {
        let mut tree = tree::read(&self.folder);
        if let Some(outsider) = &mut self.outsider {
            let ended = outsider.child.try_wait().expect("a child");
            tree.insert("outsider".to_owned(), outsider.describe());
            tree.insert("outsider's end".to_owned(), format!("{ended:?}"));
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn make(&mut self, make: Make) {
        match make {
            Make::File(name) => self.file(name),
            Make::Private(name) => {
                self.file(name);
                let path = self.path(name);
                fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
                chown(path, Some(1000), Some(1000)).unwrap();
            }
            Make::Folder(name) => fs::create_dir_all(self.path(name)).unwrap(),
            Make::Link(target, name) => symlink(self.fill(target), self.path(name)).unwrap(),
            Make::HardLink(old, new) => fs::hard_link(self.path(old), self.path(new)).unwrap(),
            Make::Fifo(name) => self.node(name, FileType::Fifo, 0),
            Make::Device(name) => {
                self.node(name, FileType::CharacterDevice, rustix::fs::makedev(1, 3));
            }
            Make::Program(name) => {
                fs::copy(program("attempt"), self.path(name)).unwrap();
            }
            Make::Script(name, interpreter, argument) => {
                let interpreter = self.path(interpreter);
                let line = format!("#!{} {argument}\n", interpreter.display());
                fs::write(self.path(name), line).unwrap();
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(self.path(name), mode).unwrap();
            }
            Make::Bind(from, to) => {
                let to = self.path(to);
                fs::create_dir_all(&to).unwrap();
                mount_bind(self.path(from), &to).unwrap();
                mount_change(&to, MountPropagationFlags::PRIVATE).unwrap();
            }
            Make::Tmpfs(name) => self.tmpfs(name).unwrap(),
            Make::Attribute(name) => {
                let flags = XattrFlags::empty();
                rustix::fs::setxattr(self.path(name), "trusted.enforcer", b"x", flags).unwrap();
            }
            Make::Acl(name) => {
                let flags = XattrFlags::empty();
                let name = self.path(name);
                rustix::fs::setxattr(name, "system.posix_acl_access", &acl(), flags).unwrap();
            }
            _ => self.make_socket(make),
        }
    }

    fn make_socket(&mut self, make: Make) {
        match make {
            Make::Stream(name) => self.keep(UnixListener::bind(self.path(name)).unwrap()),
            Make::Datagrams(name) => self.keep(UnixDatagram::bind(self.path(name)).unwrap()),
            Make::Packets(name) => self.keep(packets(&self.path(name))),
            Make::AbstractStream => {
                self.keep(UnixListener::bind_addr(&self.abstract_name()).unwrap());
            }
            Make::AbstractDatagrams => {
                self.keep(UnixDatagram::bind_addr(&self.abstract_name()).unwrap());
            }
            Make::Giver(socket, file, flags) => self.give(socket, file, flags),
            Make::Outsider(name) => self.outsider = Some(Outsider::start(&self.folder, name)),
            _ => unreachable!("{make:?} is made elsewhere"),
        }
    }

    fn keep(&mut self, thing: impl Any) {
        self.kept.push(Box::new(thing));
    }

    fn file(&self, name: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).unwrap();
        fs::write(path, CONTENTS).unwrap();
    }

    fn node(&self, name: &str, kind: FileType, device: u64) {
        let mode = Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(CWD, self.path(name), kind, mode, device).unwrap();
    }

    fn tmpfs(&self, name: &str) -> rustix::io::Result<()> {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        mount("none", &path, "tmpfs", MountFlags::empty(), None)?;
        mount_change(&path, MountPropagationFlags::PRIVATE)
    }

    fn abstract_name(&self) -> SocketAddr {
        SocketAddr::from_abstract_name(self.folder.as_os_str().as_encoded_bytes()).unwrap()
    }

    /// Gives whoever connects a descriptor.
    fn give(&mut self, socket: &str, file: &str, flags: OFlags) {
        let listener = UnixListener::bind(self.path(socket)).unwrap();
        let flags = flags | OFlags::CLOEXEC;
        let file = rustix::fs::open(self.path(file), flags, Mode::empty()).unwrap();
        thread::spawn(move || {
            // It ends with this process if nobody comes.
            let (stream, _address) = listener.accept().unwrap();
            let files = [file.as_fd()];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            assert!(control.push(SendAncillaryMessage::ScmRights(&files)));
            let text = [IoSlice::new(b"x")];
            rustix::net::sendmsg(stream, &text, &mut control, SendFlags::empty()).unwrap();
        });
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(outsider) = &mut self.outsider {
            let _gone = outsider.child.kill();
            let _gone = outsider.child.wait();
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let folder = format!("{}/", self.folder.display());
        for mount in mounts.lines().rev() {
            let point = mount.split(' ').nth(1).unwrap_or_default();
            if point.starts_with(&folder) {
                let _gone = rustix::mount::unmount(point, UnmountFlags::DETACH);
            }
        }
        let _best_effort = fs::remove_dir_all(&self.folder);
    }
}

impl Outsider {
    fn start(folder: &Path, name: &str) -> Self {
        let mut child = Command::new(program("attempt"))
            .arg("hold")
            .args([folder, Path::new(name)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start an outsider");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe"))
            .read_line(&mut line)
            .expect("the outsider tells when it is there");
        let (descriptor, address) = line.trim().split_once(' ').expect("two numbers");
        Self {
            descriptor: descriptor.to_owned(),
            address: address.to_owned(),
            child,
        }
    }

    /// What others can set of it.
    fn describe(&self) -> String {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let read = |name: &str| fs::read_to_string(process.join(name)).unwrap_or_default();
        let limits = read("limits");
        let files = limits
            .lines()
            .find(|line| line.starts_with("Max open files"));
        let status = read("status");
        let cpus = status
            .lines()
            .find(|line| line.starts_with("Cpus_allowed:"));
        let stat = read("stat");
        // Nice, and behind it the policy.
        let fields: Vec<&str> = stat.split(' ').collect();
        let at = |index: usize| fields.get(index).copied();
        format!("{files:?} {cpus:?} {:?} {:?}", at(18), at(40))
    }
}

fn packets(path: &Path) -> OwnedFd {
    let (kind, flags) = (SocketType::SEQPACKET, SocketFlags::CLOEXEC);
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None).unwrap();
    rustix::net::bind(&socket, &rustix::net::SocketAddrUnix::new(path).unwrap()).unwrap();
    rustix::net::listen(&socket, 8).unwrap();
    socket
}
