"""HTTP as bytes on a connection, for requests that client libraries cannot send."""

import json
import re
import socket

import httpx


def connected(url: str, client: str = "127.0.0.1") -> socket.socket:
    """Connect from the address `client`, any of 127.0.0.0/8."""
    address = httpx.URL(url)
    connection = socket.create_connection((address.host, address.port), timeout=20, source_address=(client, 0))
    connection.settimeout(20)
    return connection


def exchange(url: str, request: bytes, client: str = "127.0.0.1") -> bytes:
    """Send these bytes; return all bytes until the server closes the connection."""
    with connected(url, client) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answers)]


def parts(answer: bytes) -> tuple[int, str, object]:
    """Return an answer's status, lower-case header and JSON."""
    header, _, content = answer.partition(b"\r\n\r\n")
    return int(header.split()[1]), header.decode().lower(), json.loads(content)


def post(path: str, body: bytes = b"{}", content_type: str = "application/json", last: bool = False) -> bytes:
    """Return a POST request. `last` asks the server to close the connection."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return (head + "Connection: close\r\n" * last + "\r\n").encode() + body
