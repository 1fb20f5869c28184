# Owns one throw-away PostgreSQL cluster for as long as its standard input is open.
#
#   sh -c THIS supervisor DIRECTORY BINARIES [SETTING=VALUE ...]
#
# The test process holds the other end of standard input and writes one act a line; each is answered by one line, "ok"
# or "failed". When the test process ends, for whatever reason, this reads the end of its input, ends every process of
# the cluster and removes DIRECTORY.

set -u
directory=$1 binaries=$2
shift 2
# A test process that dies between asking and being answered must not take the clean-up with it.
trap '' HUP INT TERM PIPE
umask 077

log=$directory/log
pid_file=$directory/pid # exists exactly while the postmaster runs

initialise() {
    "$binaries/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C \
        --no-sync --no-instructions >>"$log" 2>&1
}

start() {
    postmaster "$@" 2>&1 | cat >>"$log" &
    # Up to a minute: recovery after a crash may take a while on a busy machine.
    attempt=0
    until "$binaries/pg_isready" --quiet --host "$directory" --timeout 1; do
        attempt=$((attempt + 1))
        [ "$attempt" -lt 1200 ] || return 1
        # The first attempts may come before the postmaster has written its id.
        [ "$attempt" -lt 20 ] || [ -e "$pid_file" ] || return 1
        sleep 0.05
    done
}

postmaster() {
    for setting; do
        shift
        set -- "$@" -c "$setting"
    done
    # shellcheck disable=SC2016 # expanded by the inner shell, whose id becomes the postmaster's
    sh -c 'echo $$ >"$0"; exec "$@"' "$pid_file" \
        "$binaries/postgres" -D "$directory/data" -k "$directory" -c listen_addresses= \
        -c dynamic_shared_memory_type=mmap "$@"
    rm -f "$pid_file"
}

# The postmaster first: stopped or killed, it starts no further child.
signal_all() {
    [ -e "$pid_file" ] || return 1
    id=$(cat "$pid_file")
    case $1 in
    KILL) kill -STOP "$id" && children=$(pgrep -P "$id") && kill -KILL "$id" $children ;;
    *) kill "-$1" "$id" && kill "-$1" $(pgrep -P "$id") ;;
    esac
}

signal_postmaster() {
    [ -e "$pid_file" ] && kill "-$1" "$(cat "$pid_file")"
}

# Returns when the last process of the cluster has ended: each holds the pipe that `cat` in `start` reads.
all_ended() {
    wait
}

initialise && echo ok || echo failed
while read -r act; do
    case $act in
    start) start "$@" ;;
    stop) signal_postmaster INT && all_ended ;;
    kill) signal_all KILL && all_ended ;;
    freeze) signal_all STOP ;;
    thaw) signal_all CONT ;;
    *) false ;;
    esac && echo ok || echo failed
done 2>>"$log"

# Standard error itself stays open to the very end: whoever reads it to its end knows that all is cleaned up.
{
    signal_all CONT
    signal_postmaster QUIT
    all_ended
    # A killed PostgreSQL leaves the System V segment that guards its data directory; its id stands on line 7.
    if [ -e "$directory/data/postmaster.pid" ]; then
        segment=$(sed -n '7s/.* //p' "$directory/data/postmaster.pid")
        [ -z "$segment" ] || ipcrm -m "$segment"
    fi
} 2>>"$log"
cd / && rm -rf "$directory"
