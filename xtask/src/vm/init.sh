#!/bin/busybox sh
# First process of a guest of `cargo xtask vm`.
#
# Ports: ttyS0 the console, ttyS1 the command's stdout, ttyS2 its stderr,
# ttyS3 its exit status. The applets of this shell need no path.
#
# The root stays the one that the kernel unpacked: moving a large image to
# another file system would double the time to boot. pivot_root is refused on
# such a root, so what needs it mounts a tmpfs and works there.

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o mode=755,nosuid devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm /dev/shm
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
mount -t tmpfs -o mode=755,nosuid,nodev run /run
mount -t tmpfs -o mode=1777,nosuid,nodev tmp /tmp
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
mount -t bpf -o mode=700,nosuid,nodev,noexec bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /run/lock
ip link set lo up
hostname -F /etc/hostname

# Pipes, so that the command does not see a terminal, and cats, so that every
# byte arrives as it was written.
for tty in 1 2 3; do stty -F /dev/ttyS$tty raw -echo; done
mkdir /run/vm
mkfifo -m 666 /run/vm/stdout /run/vm/stderr
cat /run/vm/stdout >/dev/ttyS1 &
out=$!
cat /run/vm/stderr >/dev/ttyS2 &
err=$!

# From here on, what goes wrong is the command's doing.
echo started >/dev/ttyS3
(
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export HOME=/root USER=root LOGNAME=root SHELL=/bin/sh TERM=dumb LANG=C.UTF-8
    cd /
    . /usr/lib/vm/command
) </dev/null >/run/vm/stdout 2>/run/vm/stderr
status=$?

# What the command left running holds the pipes open.
for process in /proc/[0-9]*; do
    case ${process#/proc/} in
    1 | $out | $err) ;;
    *) kill -9 "${process#/proc/}" ;;
    esac
done 2>/dev/null
wait $out $err
echo $status >/dev/ttyS3
poweroff -f
