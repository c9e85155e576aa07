#!/bin/sh
# Start Redis with the given command; if its file ends in the middle of a batch, load it once before.
#
# After a crash Redis drops an incomplete last command, but keeps the part of the batch before it in the file, and loads that part
# at its next start (github.com/valkey-io/valkey/pull/4342). Where the file ends between two commands, it drops the whole batch. So
# the first load drops the command, and the second load the rest of the batch.
file=appendonlydir/appendonly.aof.manifest # in /data, the working directory
if [ -e "$file" ] && ! redis-check-aof "$file" >/dev/null; then
    "$@" --port 0 --unixsocket loading &
    until redis-cli -s loading ping 2>&1 | grep -q PONG; do
        kill -0 $! || break
        sleep 0.1
    done
    kill $!
    wait $!
fi
exec "$@"
