"""Asks a server for paths over a few keep-alive connections and says how long it took."""

import re
import socket
import threading
import time
from collections import Counter

from tests.benchmarks.measure import answers

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class Connection:
    """One connection; reads bodies of stated length, in chunks, or up to the server's close."""

    def __init__(self, port, key=None):
        self.port = port
        self.more = f"Authorization: Bearer {key}\r\n" if key else ""
        self.socket = None
        self.rest = b""

    def get(self, path):
        """Status and length of the answer's body."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.more}\r\n".encode())
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            self._more()
        head, self.rest = self.rest[:end], self.rest[end + 4 :]
        size = self._body(head)
        if b"\r\nconnection: close" in head.lower():
            self._close()
        return head.split(b" ", 2)[1].decode(), size

    def _body(self, head):
        if length := LENGTH.search(head):
            return self._take(int(length.group(1)))
        return self._chunks() if CHUNKED.search(head) else self._until_close()

    def _more(self):
        if not (found := self.socket.recv(1 << 20)):
            raise ConnectionError("the server closed the connection")
        self.rest += found

    def _take(self, size):
        missing = size - len(self.rest)
        if missing <= 0:
            self.rest = self.rest[size:]
            return size
        self.rest = b""
        while missing > 0:
            if not (found := self.socket.recv(min(missing, 1 << 20))):
                raise ConnectionError("the server closed the connection")
            missing -= len(found)
        return size

    def _chunks(self):
        total = 0
        while True:
            while (end := self.rest.find(b"\r\n")) < 0:
                self._more()
            size, self.rest = int(self.rest[:end], 16), self.rest[end + 2 :]
            self._take(size + 2)
            total += size
            if size == 0:
                return total

    def _until_close(self):
        total = len(self.rest)
        while found := self.socket.recv(1 << 20):
            total += len(found)
        self._close()
        return total

    def _close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.rest = None, b""


def run(question):
    """Ask for every path once, `clients` at a time."""
    waiting = iter(question["paths"])
    lock, statuses, sizes, trouble = threading.Lock(), Counter(), [], []
    start = threading.Barrier(question["clients"] + 1)

    def work():
        connection = Connection(question["port"], question.get("key"))
        start.wait()
        while True:
            with lock:
                path = next(waiting, None)
            if path is None:
                return
            try:
                status, size = connection.get(path)
            except OSError as error:
                trouble.append(f"{path}: {error}")
                statuses["none"] += 1
                return
            statuses[status] += 1
            sizes.append(size)

    threads = [threading.Thread(target=work) for _ in range(question["clients"])]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    return {"seconds": took, "statuses": statuses, "bytes": sum(sizes), "trouble": trouble[:3]}


if __name__ == "__main__":
    answers(run)
