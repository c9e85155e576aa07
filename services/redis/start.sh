#!/bin/sh
# Start Redis with the given command. If its file ends inside a batch, load it once first.
#
# After a crash Redis drops an incomplete last command. It keeps the earlier commands of that batch in the file and loads them at
# the next start (github.com/valkey-io/valkey/pull/4342). If the file ends between two commands, it drops the whole batch. So the
# first load drops the command, and the second load drops the rest of the batch.
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
