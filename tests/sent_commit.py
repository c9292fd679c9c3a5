"""The request that a change by pyiceberg would send: its files are written, nothing is committed."""

import urllib.parse


class Stop(Exception):
    pass


def commit_of(table, change):
    """(path, body) of the commit of `change(table)`."""
    sent = {}
    session = table.catalog._session
    send = session.send

    def take(prepared, *args, **kwargs):
        if prepared.method != "POST":
            return send(prepared, *args, **kwargs)
        sent["path"] = urllib.parse.urlsplit(prepared.url).path
        sent["body"] = prepared.body if isinstance(prepared.body, bytes) else prepared.body.encode()
        raise Stop

    session.send = take
    try:
        change(table)
    except Stop:
        return sent["path"], sent["body"]
    finally:
        session.send = send
    raise AssertionError("nothing was sent")
