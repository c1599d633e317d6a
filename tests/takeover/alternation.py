"""One node whose server changes: Glance, Gander, Glance, Gander, on the same configuration, database, store and cache."""

import halves
import picture
import population
import servers
from node import Node
from population import Population
from upkeep import Upkeep


class Alternation:
    """A node with images, of which each next server must show just what the last one did."""

    def __init__(self, directory, database, driver, cloud, web, program, several_stores=False):
        self.node = Node(directory, directory / "images", database, driver, cloud.keystone, several_stores)
        self.url = self.node.url
        self.all_of = Population(cloud.people, web, self.node.stores)
        self.admin = cloud.people["admin"]
        self.program = program
        self.starts = {"Glance": servers.glance, "Gander": lambda node: servers.gander(program, node)}
        self.left = {}
        self.found = []
        # What was sent to a server that was killed over it, and what is known of it.
        self.streams = []

    def run(self):
        """Leaves in `found` every difference, a line each."""
        servers.glance_manage(self.node, "sync")
        with servers.glance(self.node) as server:
            population.populate(self.url, self.all_of)
            population.define_metadata(self.url, self.admin)
            population.import_images(self.url, self.all_of)
            population.copy(self.url, self.all_of)
            self._half_do("Glance", halves.GLANCES)
            self._leave("private of bob")
            self.left["tasks"] = picture.of_tasks(self.url, self.all_of)
            server.kill()
        self._leave_files()
        for turn, name in enumerate(["Gander", "Glance", "Gander"], 1):
            with self.starts[name](self.node) as server:
                self._compare(name, turn)
                population.change(self.url, self.all_of, turn)
                if turn == 1:
                    self._delete_halves("Glance", halves.GLANCES, "again")
                if turn == 3:
                    self._half_do("Gander", halves.EVERYBODYS)
                if name == "Glance":
                    population.copy(self.url, self.all_of)
                    self.left["tasks"] = picture.of_tasks(self.url, self.all_of)
                else:
                    population.withdraw(self.url, self.all_of)
                self._leave("nameless" if turn == 1 else "private of alice")
                if turn == 3:
                    server.kill()
            self._leave_files()
        self._queue("private of alice")
        with servers.glance(self.node):
            self._compare("Glance", 4)
            self._delete_halves("Gander", halves.EVERYBODYS, "again")
            self.all_of.evict(self.url, "private of alice")
        self._queue("private of alice")
        self._mend()
        self._remove_all()
        upkeep = Upkeep(self.node, self.all_of, self.starts, self.program)
        try:
            upkeep.run()
        finally:
            self.found += upkeep.found

    def _half_do(self, who, kinds):
        """Work on two images of each kind is not ended; the server will be killed."""
        for once_more in ["", " again"]:
            self.streams += halves.begin(self.url, self.all_of, who + once_more, kinds)
        self.all_of.make(self.url, f"killed, left by {who}")
        halves.kill_image(self.node.database, self.all_of.images[f"killed, left by {who}"])

    def _delete_halves(self, who, kinds, which):
        for kind in kinds:
            self.all_of.delete(self.url, f"{kind}, left by {who} {which}")

    def _queue(self, name):
        """An image waits to be cached: Glance leaves it so for a while."""
        image = self.all_of.images[name]
        (self.node.cache / "queue" / image).touch()
        self.left["cache"]["queued"] = sorted([*self.left["cache"]["queued"], image])
        self.left["cache's files"] = picture.of_files(self.node.cache)

    def _mend(self):
        """Gander ends what a Gander that was killed has begun, and nobody else's work; it caches what is queued."""
        with servers.gander(self.program, self.node):
            picture.wait_for_hits(self.url, self.admin, {self.all_of.images["private of alice"]: 0})
            for kind in halves.EVERYBODYS:
                name = f"{kind}, left by Gander"
                status = self.all_of.ask(self.url, "GET", name).json()["status"]
                if status != ("uploading" if kind == "staged" else "queued"):
                    self.found.append(f"{name}: is {status} after Gander's next start")
                elif status == "queued":
                    self.all_of.upload(self.url, name, "alice", 1000)
                    self.all_of.download(self.url, name, 1)
            # Glance cannot: it waits in vain for the server that was to prove it.
            self.all_of.delete(self.url, "being proved, left by Glance")
            for kind in halves.EVERYBODYS:
                image = self.all_of.images[f"{kind}, left by Gander again"]
                if self.node.has_data_of(image) or (self.node.staging / image).exists():
                    self.found.append(f"{kind}, deleted by Glance: Gander leaves its data")

    def _leave(self, evicted):
        """Notes what this server shows, with all in its cache but one image."""
        # First, as what Glance refuses may change the image's time.
        self.left["refusals"] = picture.of_refusals(self.url, self.all_of)
        self.left["downloads"] = picture.of_downloads(self.url, self.all_of)
        self.all_of.evict(self.url, evicted)
        self.left["API"] = picture.of_api(self.url, self.all_of, self.node.is_heaped)
        self.left["cache"] = picture.of_cache(self.url, self.admin, self.node.driver)

    def _leave_files(self):
        """Notes what it has left behind, now that it has ended."""
        self.left.update(self._at_rest())

    def _at_rest(self):
        return {
            "database": picture.of_database(self.node.database),
            "store": picture.of_files(self.node.store),
            "staging": picture.of_files(self.node.staging),
            "cache's files": picture.of_files(self.node.cache),
            "cache's index": picture.of_index(self.node),
        }

    def _compare(self, name, turn):
        """The next server serves: all is as it was."""
        self._same(name, turn, "API", picture.of_api(self.url, self.all_of, self.node.is_heaped))
        self._same(name, turn, "cache", picture.of_cache(self.url, self.admin, self.node.driver))
        for what, now in self._at_rest().items():
            self._same(name, turn, what, now)
        self._same(name, turn, "refusals", picture.of_refusals(self.url, self.all_of))
        if name == "Glance":
            self._same(name, turn, "tasks", picture.of_tasks(self.url, self.all_of))
        self._hit_at_once()
        self._same(name, turn, "downloads", picture.of_downloads(self.url, self.all_of))

    def _same(self, name, turn, what, now):
        self.found += [f"turn {turn}, {name}: {what}{line}" for line in picture.differences(self.left[what], now)]

    def _hit_at_once(self):
        """What is in the cache is served from there, and counted: the store is away meanwhile."""
        hits = {entry["image_id"]: entry["hits"] for entry in population.cached(self.admin, self.url)}
        assert len(hits) > 10, "hardly anything is cached"
        away = self.node.store.with_name("away")
        self.node.store.rename(away)
        try:
            for title, image in self.all_of.images.items():
                if image in hits and self.left["API"][f"admin: {title}"][1]["status"] == "active":
                    self.all_of.download(self.url, title, 1, "admin")
                    hits[image] += 1
        finally:
            away.rename(self.node.store)
        picture.wait_for_hits(self.url, self.admin, hits)

    def _remove_all(self):
        """Glance can delete whatever was made, and nothing stays but what a Glance that was killed left of an upload."""
        with servers.glance(self.node):
            for title, image in self.all_of.images.items():
                if self.admin.ask(self.url, "GET", f"/v2/images/{image}", (200, 404)).ok:
                    self.admin.change(self.url, image, ("replace", "/protected", False))
                    self.all_of.delete(self.url, title, "admin")
        lost = {self.all_of.images[f"half an upload, left by Glance{again}"] for again in ["", " again"]}
        places = [self.node.store, self.node.cache, self.node.staging]
        left = {name for place in places for name in picture.of_files(place)} | {*picture.of_index(self.node)}
        # It has noted there what it hashes, too.
        lost |= {name for name in left if name.startswith("running-task-")}
        left = {name for name in left if name.rsplit("/", 1)[-1] not in lost}
        self.found += [f"after all was deleted there is still {what}" for what in sorted(left)]
