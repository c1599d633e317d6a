"""A private MariaDB or PostgreSQL for catalogues, as the tests have it."""
import csv
import os
import pathlib
import sqlite3
import subprocess

from . import machine

SERVE = pathlib.Path(__file__).resolve().parents[2] / "crates" / "testdb" / "serve"
TABLES = ["images", "image_properties", "image_tags", "image_locations"]


def on(stage):
    """The server of this row, started on first use."""
    if not hasattr(stage, "server"):
        stage.server = Database(stage.options.database, stage.options.binary)
        stage.callback(stage.server.stop)
    return stage.server


class Database:
    """A server of this kind; it ends with this process."""

    def __init__(self, kind, binary):
        self.kind, self.binary, self.port, self.known = kind, binary, machine.free_port(), {}
        self.process = subprocess.Popen(
            [SERVE, kind, str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.directory = pathlib.Path(self._answer().removeprefix("ready "))

    def of(self, catalogue):
        """The URL of a database that holds this catalogue; made on first use."""
        if catalogue.size not in self.known:
            name = f"c{catalogue.size}"
            print(f"create {name}", file=self.process.stdin, flush=True)
            self._answer()
            self.known[catalogue.size] = self._url(name)
            self._fill(name, catalogue)
        return self.known[catalogue.size]

    def stop(self):
        """Its end; nothing is left."""
        self.process.stdin.close()
        self.process.wait()

    def _answer(self):
        return self.process.stdout.readline().strip()

    def _url(self, name):
        if self.kind == "mysql":
            return f"mysql+pymysql://glance:gl%40nce@127.0.0.1:{self.port}/{name}?charset=utf8"
        return f"postgresql+psycopg2://glance@127.0.0.1:{self.port}/{name}"

    def _fill(self, name, catalogue):
        command = [self.binary, "manage", "--sql-connection", self.known[catalogue.size], "db", "sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with sqlite3.connect(catalogue.file) as source:
            for table in TABLES:
                rows = source.execute(f"SELECT * FROM {table}")
                names = [column[0] for column in rows.description]
                file = catalogue.file.with_suffix(f".{table}.csv")
                with open(file, "w", newline="") as out:
                    csv.writer(out, lineterminator="\n").writerows(
                        ["\\N" if value is None else value for value in row] for row in rows
                    )
                os.chmod(file, 0o644)
                self._load(name, table, names, file)
                file.unlink()
        self._ask(name, "ANALYZE TABLE " + ", ".join(TABLES) if self.kind == "mysql" else "ANALYZE")

    def _load(self, name, table, names, file):
        if self.kind == "mysql":
            columns = ", ".join(f"`{column}`" for column in names)
            self._ask(name, f"SET unique_checks = 0; SET foreign_key_checks = 0; LOAD DATA LOCAL INFILE '{file}' INTO TABLE "
                      f"{table} FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ({columns})")
        else:
            columns = ", ".join(f'"{column}"' for column in names)
            self._ask(name, f"\\copy {table} ({columns}) FROM '{file}' WITH (FORMAT csv, NULL '\\N')")

    def _ask(self, name, statement):
        if self.kind == "mysql":
            command = ["mariadb", "--no-defaults", "--local-infile=1", f"--socket={self.directory}/socket", "--user=root",
                       f"--database={name}", f"--execute={statement}"]
        else:
            command = ["psql", "--no-psqlrc", "--quiet", f"--host={self.directory}", f"--port={self.port}",
                       "--username=glance", f"--dbname={name}", f"--command={statement}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
