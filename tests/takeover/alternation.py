"""One node whose server changes: Glance, Gander, Glance, Gander, on the same configuration, database, store and cache."""

import picture
import population
import servers
from node import Node
from population import Population


class Alternation:
    """A node with images, of which each next server must show just what the last one did."""

    def __init__(self, directory, database, driver, cloud, web, program, several_stores=False):
        self.node = Node(directory, directory / "images", database, driver, cloud.keystone, several_stores)
        self.url = self.node.url
        self.all_of = Population(cloud.people, web, self.node.stores)
        self.admin = cloud.people["admin"]
        self.starts = {"Glance": servers.glance, "Gander": lambda node: servers.gander(program, node)}
        self.left = {}
        self.found = []

    def run(self):
        """Leaves in `found` every difference, a line each."""
        servers.glance_manage(self.node, "sync")
        with servers.glance(self.node):
            population.populate(self.url, self.all_of)
            population.define_metadata(self.url, self.admin)
            population.copy(self.url, self.all_of)
            self._leave("private of bob")
        self._leave_files()
        for turn, name in enumerate(["Gander", "Glance", "Gander"], 1):
            with self.starts[name](self.node):
                self._compare(name, turn)
                population.change(self.url, self.all_of, turn)
                if name == "Glance":
                    population.copy(self.url, self.all_of)
                else:
                    population.withdraw(self.url, self.all_of)
                self._leave("nameless" if turn == 1 else "private of alice")
            self._leave_files()
        self._remove_all()

    def _leave(self, evicted):
        """Notes what this server shows, with all in its cache but one image."""
        self.left["downloads"] = picture.of_downloads(self.url, self.all_of)
        self.all_of.evict(self.url, evicted)
        self.left["API"] = picture.of_api(self.url, self.all_of)
        self.left["cache"] = picture.of_cache(self.url, self.admin, self.node.driver)

    def _leave_files(self):
        """Notes what it has left behind, now that it has ended."""
        self.left.update(self._at_rest())

    def _at_rest(self):
        return {
            "database": picture.of_database(self.node.database),
            "store": picture.of_files(self.node.store),
            "cache's files": picture.of_files(self.node.cache),
            "cache's index": picture.of_index(self.node.cache),
        }

    def _compare(self, name, turn):
        """The next server serves: all is as it was."""
        self._same(name, turn, "API", picture.of_api(self.url, self.all_of))
        self._same(name, turn, "cache", picture.of_cache(self.url, self.admin, self.node.driver))
        for what, now in self._at_rest().items():
            self._same(name, turn, what, now)
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
        """Glance can delete whatever was made, and nothing stays."""
        with servers.glance(self.node):
            for title, image in self.all_of.images.items():
                if self.left["API"][f"admin: {title}"][0] == 200:
                    self.admin.change(self.url, image, ("replace", "/protected", False))
                    self.all_of.delete(self.url, title, "admin")
        left = [*picture.of_files(self.node.store), *picture.of_files(self.node.cache), *picture.of_index(self.node.cache)]
        self.found += [f"after all was deleted there is still {what}" for what in left]
