"""APScheduler 3.11.3: Ctrl-C while a stored job is read deletes the job from the database.

A scheduler starts with one job that is due. Its function lives in a module that takes a second to import, as one that
imports a data library does. SIGINT arrives during that import.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from datetime import datetime, timedelta
from pathlib import Path

REQUIREMENTS = ("apscheduler==3.11.3", "sqlalchemy==2.1.9")
LIMIT = 30  # seconds until a step counts as failed
PATIENCE = 4  # seconds after the signal in which the scheduler may end

REPORTS = """
import time
print("importing reports", flush=True)
time.sleep(1)
def nightly(): pass
"""


def add(url: str) -> None:
    """Some other day: the application stores its job; the service is not running when it falls due."""
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler()
    scheduler.add_jobstore("sqlalchemy", url=url)
    scheduler.start(paused=True)  # no shutdown: it would look for due jobs once more
    due = datetime.now() - timedelta(seconds=1)
    scheduler.add_job("reports:nightly", "interval", hours=1, id="nightly", next_run_time=due)


def serve(url: str, mended: bool) -> None:
    """The service, as the user guide builds it."""
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.blocking import BlockingScheduler

    scheduler = BlockingScheduler()
    scheduler.add_jobstore(mended_store()(url) if mended else SQLAlchemyJobStore(url))
    scheduler.start()


def mended_store() -> type:
    """The job store with the clause as it could be: what is no `Exception` is no broken job."""
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from sqlalchemy import and_, select

    class MendedStore(SQLAlchemyJobStore):
        def _get_jobs(self, *conditions):
            jobs, failed = [], set()
            query = select(self.jobs_t.c.id, self.jobs_t.c.job_state).order_by(self.jobs_t.c.next_run_time)
            query = query.where(and_(*conditions)) if conditions else query
            with self.engine.begin() as connection:
                for row in connection.execute(query):
                    try:
                        jobs.append(self._reconstitute_job(row.job_state))
                    except Exception:  # was: except BaseException
                        self._logger.exception('Unable to restore job "%s" -- removing it', row.id)
                        failed.add(row.id)
                if failed:
                    connection.execute(self.jobs_t.delete().where(self.jobs_t.c.id.in_(failed)))
            return jobs

    return MendedStore


def interrupted(folder: Path, mended: bool) -> tuple[bool, int]:
    """Start the service, press Ctrl-C during the import: did it end, and how many jobs are left in the database?"""
    (folder / "reports.py").write_text(REPORTS)
    database = folder / "jobs.db"
    command = [sys.executable, "-W", "ignore", __file__]
    url = f"sqlite:///{database}"
    # the first import, of the job being stored, is not the one that is interrupted
    subprocess.run(
        [*command, "add", url],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        check=True,
        timeout=LIMIT,
        stdout=subprocess.DEVNULL,
    )
    before = rows(database)
    assert before == 1, f"{before} jobs stored"
    child = [*command, "serve", url, "mended" if mended else ""]
    with subprocess.Popen(
        child, cwd=folder, env={"PYTHONPATH": str(folder)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            assert process.stdout and "importing" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
                ended = True
            except subprocess.TimeoutExpired:
                ended = False
        finally:
            limit.cancel()
            process.kill()
    return ended, rows(database)


def rows(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("select count(*) from apscheduler_jobs").fetchone()[0])
    finally:
        connection.close()


def main() -> int:
    seen = []
    for name, mended in (("BEFORE", False), ("AFTER", True)):
        with tempfile.TemporaryDirectory() as folder:
            ended, left = interrupted(Path(folder), mended)
        print(f"{name}: 1 job in the database, then SIGINT while it is read")
        print(f"  the scheduler {'ended' if ended else f'still runs {PATIENCE} s later'}; jobs in the database: {left}")
        seen.append((ended, left))
    return 0 if seen == [(False, 0), (True, 1)] else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["add"]:
        add(sys.argv[2])
    elif sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], sys.argv[3] == "mended")
    else:
        sys.exit(main())
