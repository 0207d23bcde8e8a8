"""Real processes that use one database at the same time, started together and reported one by one.

The processes are forked from one that has imported the package and does nothing else. The functions that run in them
live here, since whatever starts such a process imports the module they are in.
"""

import contextlib
import io
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy import event

from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.location import locate
from tests.builders import make_draft, make_workload

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.catalog.engine.processes", "openg2g.catalog.engine.migrate", "psycopg"])
_TIMEOUT_S = 60


def run_at_once(work: Callable[..., object], argument_lists: Sequence[tuple[object, ...]]) -> list[object]:
    """Run a function in as many processes as there are argument lists; all begin at the same moment.

    Returns:
        What each of them returned, or the text of the error that it ended with.
    """
    barrier = _FORKING.Barrier(len(argument_lists))
    workers = [_start(_work_after_barrier, barrier, work, arguments) for arguments in argument_lists]
    try:
        return [_received(receiver) for _, receiver in workers]
    finally:
        for process, receiver in workers:
            _end(process, receiver)


@contextmanager
def running(work: Callable[..., object], *arguments: object) -> Iterator[tuple[BaseProcess, Connection]]:
    """Run a function beside the test; it gets the sending end of the connection as its first argument."""
    process, receiver = _start(work, *arguments)
    try:
        yield process, receiver
    finally:
        _end(process, receiver)


def received(receiver: Connection) -> Any:
    """Wait for the next thing that a process says."""
    assert receiver.poll(_TIMEOUT_S), "the process did not answer"
    return receiver.recv()


def create_catalog(url: str) -> str:
    """Make a catalog, or find one made."""
    with Catalog.create(url) as catalog:
        return catalog.location


def hold_write_lock(sender: Connection, url: str) -> None:
    """Hold the write lock, with a revision that nobody may see yet, until told to commit."""
    with Catalog.open(url) as catalog, catalog.writing() as writer:
        writer.append([RevisionDraft("fleet", make_workload(1), author="holder")])
        sender.send("holding")
        sender.recv()


def save_without_end(sender: Connection, url: str) -> None:
    """Save many drafts in one transaction that never ends; say when thousands have been written."""
    with Catalog.open(url) as catalog, catalog.writing() as writer:
        for first in count(0, 2_000):
            if first == 6_000:  # Three blocks are in the database by now, none of them committed.
                sender.send("in the middle")
            writer.append(
                [
                    RevisionDraft(f"sweep/{index}", make_workload(2, initial_batch_size=1 + index), author="sweeper")
                    for index in range(first, first + 2_000)
                ]
            )


def upgrade_and_die(_: Connection, url: str, statement_start: str) -> None:
    """Migrate an empty database and die, without any chance to clean up, just before one of the statements."""
    from openg2g.catalog.engine.migrate import upgrade

    database = Database(locate(url), may_create=True)

    @event.listens_for(database.engine, "before_cursor_execute")
    def die(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.strip().startswith(statement_start):
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(database)


def use_without_privileges(sender: Connection, practice: str, location: str, action: str) -> None:
    """Open, save to, or create a catalog as a user whom file permissions bind; say what came of it.

    Root is bound by none, so it becomes nobody, after everything has been used once: nobody may be unable to read the
    package itself.
    """
    _use(practice, "create")
    _use(practice, "save")
    if action == "init":
        _use(practice, action)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65_534)
        os.setuid(65_534)
    sender.send(_outcome(location, action))


def save_to_a_full_disk(sender: Connection, location: str) -> None:
    """Save more than the system lets a file grow to; then say what came of it and of reading afterwards."""
    limit = os.stat(location).st_size + 8_192
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sender.send((_outcome(location, "save much"), _outcome(location, "list")))


def read_with_small_files(sender: Connection, location: str) -> None:
    """Ask for more than fits into memory where no file may grow; say what came of it."""
    with Catalog.open(location) as catalog:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000)"
        try:
            with catalog.database.reading() as connection:
                connection.exec_driver_sql("PRAGMA cache_size = 10")
                connection.exec_driver_sql(f"{many} SELECT i || 'xxxxxxxxxxxxxxxxxxxx' AS t FROM n ORDER BY t").first()
            sender.send(("", ""))
        except Exception as error:  # Sent to the test, which shows it.
            sender.send((type(error).__name__, str(error)))


def _outcome(location: str, action: str) -> tuple[str, str]:
    """Name of the error and its text, or an empty name and what there was to say."""
    try:
        return "", str(_use(location, action))
    except Exception as error:  # Sent to the test, which shows it.
        return type(error).__name__, str(error)


def _said_by_init(location: str) -> str:
    from openg2g.cli.main import run  # Imported late: the other processes run no command.

    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        exit_code = run(["init", "--database", location])
    return f"{exit_code} {out.getvalue()}{err.getvalue()}"


def _use(location: str, action: str) -> object:
    if action == "init":
        return _said_by_init(location)
    with Catalog.create(location) if action == "create" else Catalog.open(location) as catalog:
        match action:
            case "save":
                return catalog.save("fleet", make_workload(3)).reference
            case "save much":
                return len(catalog.save_many(make_draft(f"n{i}", workload=make_workload(i)) for i in range(1, 200)))
            case _:
                return catalog.list_names()


def _start(work: Callable[..., object], *arguments: object) -> tuple[BaseProcess, Connection]:
    receiver, sender = _FORKING.Pipe()
    process = _FORKING.Process(target=_work, args=(dict(os.environ), work, sender, *arguments), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def _work(environment: dict[str, str], work: Callable[..., object], *arguments: object) -> None:
    os.environ.clear()
    os.environ.update(environment)
    work(*arguments)


def _end(process: BaseProcess, receiver: Connection) -> None:
    receiver.close()
    process.kill()
    process.join(_TIMEOUT_S)
    process.close()


def _received(receiver: Connection) -> object:
    kind, value = received(receiver)
    return value if kind == "done" else f"error: {value}"


def _work_after_barrier(
    sender: Connection, barrier: Barrier, work: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    barrier.wait(_TIMEOUT_S)
    try:
        sender.send(("done", work(*arguments)))
    except Exception as error:  # Sent to the test, which shows it.
        sender.send(("error", repr(error)))
