"""Pushes calls to a Redis list for some seconds, moves each into a row of SQLite, and prints calls per second."""
import json
import os
import socket
import sqlite3
import sys
import time

port, folder, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
connection = socket.create_connection(("127.0.0.1", port))
stream = connection.makefile("rb")


def command(*parts):
    encoded = [part.encode() for part in parts]
    frame = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in encoded)
    connection.sendall(b"*%d\r\n%s" % (len(parts), frame))
    return reply()


def reply():
    line = stream.readline()
    if line[:1] == b"$":
        return stream.read(int(line[1:]) + 2)[:-2]
    if line[:1] == b"*":
        return [reply() for _ in range(int(line[1:]))]
    return line


start = time.perf_counter()
calls = 0
while time.perf_counter() - start < seconds:
    command("RPUSH", "calls", json.dumps({"function": f"function_{calls % 20}", "time": calls % 900 / 8, "error": None}))
    calls += 1

path = os.path.join(folder, "original.sqlite")
if os.path.exists(path):
    os.remove(path)
database = sqlite3.connect(path)
database.execute("CREATE TABLE calls (id INTEGER PRIMARY KEY, function TEXT, time REAL, error TEXT)")
while True:
    items = command("LRANGE", "calls", "0", "9999")
    if not items:
        break
    rows = [json.loads(item) for item in items]
    with database:
        for row in rows:
            values = (row["function"], row["time"], row["error"])
            database.execute("INSERT INTO calls (function, time, error) VALUES (?, ?, ?)", values)
    command("LTRIM", "calls", str(len(items)), "-1")
print(calls / (time.perf_counter() - start))
