"""What becomes of deleted images: each server scrubs and purges what the other has deleted."""

import sqlalchemy

import picture
import servers

# Tables with rows of an image, and where they have its id.
TABLES = {table: "image_id" for table in ["image_properties", "image_tags", "image_members", "image_locations"]} | {"images": "id"}


class Upkeep:
    """Work on a node whose images are deleted later than their users say."""

    def __init__(self, node, all_of, starts, program):
        self.node = node
        self.all_of = all_of
        self.starts = starts
        self.tools = {
            "Gander": {name: [program, name] for name in ["scrubber", "manage"]},
            "Glance": {name: [servers.VENV / "bin" / f"glance-{name}"] for name in ["scrubber", "manage"]},
        }
        self.found = []

    def run(self):
        """Leaves in `found` what is not as it should be, a line each."""
        for deleting, other in [("Glance", "Gander"), ("Gander", "Glance")]:
            self.node.configure(scrub_time=1000)
            with self.starts[deleting](self.node):
                self.delete(deleting)
            with self.starts[other](self.node):
                self.gone(f"deleted by {deleting}")
            self.scrub(deleting, other)
            with self.starts[other](self.node):
                self.all_of.download(self.node.url, f"kept by {deleting}", 1)
                self.gone(f"deleted by {deleting}")
            self.purge(deleting, other)

    def note(self, good, what):
        if not good:
            self.found.append(what)

    def delete(self, who):
        url, all_of = self.node.url, self.all_of
        for name in [f"kept by {who}", f"deleted by {who}", f"deleted without data by {who}"]:
            all_of.make(url, name, "alice", None if "without" in name else 20_000, visibility="shared", tags=["x"], a="b")
            all_of.share(url, name, "bob")
            if "without" not in name:
                all_of.download(url, name, 2)
        for name in [f"deleted by {who}", f"deleted without data by {who}"]:
            all_of.delete(url, name)
        image = all_of.images[f"deleted by {who}"]
        self.note(not (self.node.cache / image).exists(), f"{who} leaves a deleted image in the cache")

    def gone(self, name):
        """Nobody sees it or its data any more."""
        for caller in self.all_of.people.values():
            for path in ["", "/file", "/members"]:
                caller.ask(self.node.url, "GET", f"/v2/images/{self.all_of.images[name]}{path}", 404)

    def tool(self, who, name, *words):
        servers.tool(*self.tools[who][name], "--config-file", self.node.directory / "glance-api.conf", *words)

    def scrub(self, deleting, other):
        """What is deleted stays until it is due, and is removed then."""
        image = self.all_of.images[f"deleted by {deleting}"]
        before = self.rows(image)
        self.tool(other, "scrubber")
        self.note(self.rows(image) == before, f"{other} scrubs what {deleting} deleted before it is due: {self.rows(image)}")
        self.note(self.node.has_data_of(image), f"{other} removes what {deleting} deleted before it is due")
        self.node.configure(scrub_time=0)
        self.tool(other, "scrubber")
        self.note(not self.node.has_data_of(image), f"{other} leaves the data of what {deleting} deleted")
        statuses = [row._mapping["status"] for table in ["images", "image_locations"] for row in self.rows(image)[table]]
        self.note(statuses == ["deleted"] * 2, f"what {deleting} deleted and {other} scrubbed is {statuses}")
        times = [rows["images"][0]._mapping["deleted_at"] for rows in (before, self.rows(image))]
        self.note(times[0] == times[1], f"{other} changes the time of the deletion: {times}")
        # Whoever deleted it has nothing more to do.
        self.tool(deleting, "scrubber")

    def rows(self, image):
        return {table: self.database(f"SELECT * FROM {table} WHERE {key} = '{image}'") for table, key in TABLES.items()}

    def database(self, statement):
        engine = sqlalchemy.create_engine(self.node.database)
        try:
            with engine.begin() as connection:
                done = connection.execute(sqlalchemy.text(statement))
                return done.fetchall() if done.returns_rows else []
        finally:
            engine.dispose()

    def purge(self, deleting, other):
        """What was deleted long ago goes, and nothing else."""
        deleted = [self.all_of.images[f"{what} by {deleting}"] for what in ["deleted", "deleted without data"]]
        for table, key in TABLES.items():
            self.database(f"UPDATE {table} SET deleted_at = '2020-01-01 00:00:00' WHERE {key} = '{deleted[0]}'")
        others = self.others(deleted[0])
        self.tool(other, "manage", "db", "purge", "--max_rows", "-1")
        self.tool(other, "manage", "db", "purge_images_table", "--max_rows", "-1")
        left = {table: rows for table, rows in self.rows(deleted[0]).items() if rows}
        self.note(not left, f"{other} does not purge what {deleting} deleted: {left}")
        self.found += [f"{other} purges: {line}" for line in picture.differences(others, self.others(deleted[0]))]

    def others(self, image):
        """Every row that is not about this image."""
        told = picture.of_database(self.node.database)
        return {table: [row for row in rows if image not in row] for table, rows in told.items()}
