"""Traps: a port that counts connections and a file that counts openings, by whatever process."""

import ctypes
import os
import socket
import threading

IN_ACCESS, IN_OPEN = 0x1, 0x20


class Trap:
    """A listener on the loopback and a canary file; `touched()` says what was reached since it was last asked."""

    def __init__(self, folder):
        self.canary = folder / "canary.wkt"
        self.canary.write_text(
            'GEOGCS["canary",DATUM["d",SPHEROID["s",6378137,298.257]],UNIT["degree",0.01745]]'
        )
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()
        libc = ctypes.CDLL(None, use_errno=True)
        self.notices = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.notices, os.fsencode(self.canary), IN_ACCESS | IN_OPEN) > 0

    def _count(self):
        while True:
            try:
                reached, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            reached.close()

    def touched(self):
        """Connections, and whether the canary was opened or read; the count begins anew."""
        try:
            opened = bool(os.read(self.notices, 65_536))
        except BlockingIOError:
            opened = False
        count, self.connections = self.connections, 0
        return count, opened

    def close(self):
        self.listener.close()
        os.close(self.notices)

    def strings(self):
        """What a careless library would fetch or open."""
        address = f"http://127.0.0.1:{self.port}/x"
        return [
            address,
            f"/vsicurl/{address}",
            f"/vsicurl_streaming/{address}.wkt",
            str(self.canary),
            f"file://{self.canary}",
            f"+init={self.canary}:1",
            f"+proj=longlat +nadgrids={self.canary} +type=crs",
            f"+proj=longlat +nadgrids={address} +type=crs",
            f"EPSG:4547;{address}",
            f"EPSG:4547\n{self.canary}",
            f"http://www.opengis.net/def/crs/EPSG/0/4547/../../../..{self.canary}",
            f"urn:ogc:def:crs:EPSG::4547,{self.canary}",
            f"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>{self.canary}</SrcDataSource></OGRVRTLayer>",
        ]
