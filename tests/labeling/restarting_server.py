"""Serves a collection in a child process, and in a new one whenever that has been killed.

Run as ``python restarting_server.py COLLECTION PORT``; prints the id of each child process.
"""

from __future__ import annotations

import os
import sys

from boilerplate_ds.labeling.session import Session
from boilerplate_ds.labeling.web import Access, serve

if __name__ == "__main__":
    folder, port = sys.argv[1], int(sys.argv[2])
    while True:
        child = os.fork()
        if not child:
            session = Session(folder, ["ana"])
            serve(session, Access(), port=port, ready=lambda _: print(os.getpid(), flush=True))
        os.waitpid(child, 0)
