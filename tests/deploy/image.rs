//! The image without Docker: its last stage, as the Dockerfile says it, laid into a folder, which the static program then
//! has for a root. Beside it there is only what every runtime mounts, `/etc/hosts` and `/etc/resolv.conf`, and the volumes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;

use super::name_server::NameServer;
use crate::architecture::source::read;
use crate::support::portal::{CLIENT_ID, FakePortal, REFRESH_TOKEN};
use crate::support::run::Run;
use crate::support::s3::{self, S3Server};
use crate::support::worlds;

const USER: u32 = 10_001;
const VOLUMES: [&str; 2] = ["srv/agol-backup", "var/lib/agol-backup"];
const STORE: &str = "store.city.example";
/// `PT_INTERP` of the ELF format: the file is a program only with the help of another.
const INTERPRETER: u32 = 3;

#[test]
fn the_image_backs_up_with_nothing_in_it_but_the_program_and_whom_it_trusts() {
    let portal = FakePortal::start_blocking(worlds::city());
    let image = Image::laid();
    image.run(&portal, &[]).ended(0);
    let snapshots = image.root().join("srv/agol-backup/snapshots");
    assert_eq!(snapshots.read_dir().expect("snapshots").count(), 1);
}

#[test]
fn the_image_finds_a_host_that_a_name_server_knows() {
    let names = NameServer::knowing(STORE);
    let image = Image::laid();
    let server = format!("nameserver {}\n", names.address);
    image.mount("etc/resolv.conf", &server);
    image.reaches_the_store();
    assert!(names.asked.load(Ordering::Relaxed) > 0, "nobody asked");
}

#[test]
fn the_image_finds_a_host_that_only_its_hosts_file_knows() {
    let names = NameServer::knowing("another.city.example");
    let image = Image::laid();
    let server = format!("nameserver {}\n", names.address);
    image.mount("etc/resolv.conf", &server);
    image.mount("etc/hosts", &format!("127.0.0.1 {STORE}\n"));
    image.reaches_the_store();
}

#[test]
fn the_program_of_the_image_needs_no_interpreter_and_no_library() {
    let program = fs::read(program()).expect("the static program");
    let headers = program_headers(&program);
    assert!(headers.len() > 3, "{headers:?}");
    assert!(!headers.contains(&INTERPRETER), "{headers:?}");
    let told = Command::new("ldd")
        .arg(self::program())
        .output()
        .expect("ldd");
    let told = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    assert!(!told.contains("=>"), "{told}");
}

/// The last stage of the Dockerfile in a folder.
struct Image(tempfile::TempDir);

impl Image {
    fn laid() -> Self {
        let image = Self(tempfile::tempdir().expect("a folder"));
        fs::set_permissions(image.root(), fs::Permissions::from_mode(0o755)).expect("open");
        let dockerfile = read("Dockerfile");
        let last = dockerfile.split("FROM scratch\n").nth(1).expect("a stage");
        for line in last.lines().filter_map(|line| line.strip_prefix("COPY ")) {
            let words: Vec<&str> = line
                .split(' ')
                .filter(|word| !word.starts_with("--"))
                .collect();
            image.copy(words[0], words[1]);
        }
        for volume in VOLUMES {
            assert!(
                image.root().join(volume).is_dir(),
                "the image has no {volume}"
            );
        }
        image.mount("var/lib/agol-backup/token.json", REFRESH_TOKEN);
        image
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn copy(&self, source: &str, place: &str) {
        let to = self.root().join(place.trim_start_matches('/'));
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        if source == "/image/empty" {
            fs::create_dir(&to).expect("a folder");
            return own(&to);
        }
        let here = match source {
            "/image/agol-backup" => program(),
            _ => PathBuf::from(source),
        };
        let copied = fs::copy(here, to);
        assert!(copied.is_ok(), "{source}: {copied:?}");
    }

    fn mount(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::write(&path, text).expect("a mounted file");
        own(&path);
    }

    /// By its name: a whole pass.
    fn reaches_the_store(&self) {
        let portal = FakePortal::start_blocking(worlds::city());
        let store = S3Server::start();
        let night = self.run(
            &portal,
            &[
                ("BACKUP_DESTINATION", &format!("s3://{}", s3::BUCKET)),
                ("SINK_ENDPOINT", &store.url().replace("127.0.0.1", STORE)),
                ("SINK_REGION", s3::REGION),
                ("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY),
                ("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY),
            ],
        );
        night.ended(0);
        let committed = |path: &String| path.starts_with("snapshots/");
        assert!(store.files().keys().any(committed));
    }

    /// As the image's user where the test may choose that, who can write nowhere but in the volumes.
    fn run(&self, portal: &FakePortal, variables: &[(&str, &str)]) -> Run {
        let mut command = if is_root() {
            let mut chroot = Command::new("chroot");
            chroot
                .arg(format!("--userspec={USER}:{USER}"))
                .arg(self.root());
            chroot
        } else {
            let mut unshare = Command::new("unshare");
            unshare
                .arg("--map-root-user")
                .arg("--root")
                .arg(self.root());
            unshare
        };
        command.arg("/agol-backup").env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"); // where the two are
        command.env("ARCGIS_URL", portal.url());
        command.env("BACKUP_DESTINATION", "/srv/agol-backup");
        command.env("ARCGIS_CLIENT_ID", CLIENT_ID);
        command.env(
            "ARCGIS_REFRESH_TOKEN_FILE",
            "/var/lib/agol-backup/token.json",
        );
        command.envs(variables.iter().copied());
        Run::of(command.output().expect("chroot or unshare"))
    }
}

/// Built by `tests/run`.
fn program() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "tests/run says it this way")]
    let built = std::env::var_os("AGOL_TEST_STATIC");
    built
        .expect("AGOL_TEST_STATIC is not set: run ./tests/run, which builds the static program")
        .into()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("a process").uid() == 0
}

fn own(path: &Path) {
    if is_root() {
        chown(path, Some(USER), Some(USER)).expect("root may");
    }
}

/// The types in the program header table of a 64-bit ELF file.
fn program_headers(program: &[u8]) -> Vec<u32> {
    let number = |at: usize, length: usize| {
        let bytes = program[at..at + length].iter().rev();
        bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let kinds = (0..count).map(|header| number(table + header * size, 4));
    kinds
        .map(|kind| u32::try_from(kind).expect("32 bits"))
        .collect()
}
