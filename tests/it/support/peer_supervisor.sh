# Owns one program written by others for as long as its standard input is open.
#
#   sh -c THIS supervisor DIRECTORY PROGRAM [ARGUMENT ...]
#
# The test process holds the other end of standard input and writes one act a line; each is answered by one line, "ok"
# or "failed". The program makes the file DIRECTORY/ready when it can be used. When the test process ends, for whatever
# reason, this reads the end of its input, kills the program and removes DIRECTORY.

set -u
directory=$1
shift
# A test process that dies between asking and being answered must not take the clean-up with it.
trap '' HUP INT TERM PIPE
id=

start() {
    rm -f "$directory/ready"
    "$@" </dev/null &
    id=$!
    # Up to half a minute: the machine may be busy.
    attempt=0
    until [ -e "$directory/ready" ]; do
        attempt=$((attempt + 1))
        [ "$attempt" -lt 600 ] || return 1
        kill -0 "$id" || return 1
        sleep 0.05
    done
}

end() {
    kill "-$1" "$id" || return 1
    wait "$id"
    id=
}

{
    while read -r act; do
        case $act in
        start) start "$@" ;;
        stop) end TERM ;;
        freeze) kill -STOP "$id" ;;
        thaw) kill -CONT "$id" ;;
        *) false ;;
        esac && echo ok >&3 || echo failed >&3
    done
    [ -z "$id" ] || end KILL
} 3>&1 >>"$directory/log" 2>&1
cd / && rm -rf "$directory"
