"""Glance and Gander side by side, on one database and one store, behind one name; each with a cache of its own."""

import contextlib
import itertools
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import picture
import population
import servers
from node import Node
from population import Population

RACES = 12


@contextlib.contextmanager
def one_name(ports):
    """An address behind which connections go to the servers in turn."""
    turns = itertools.cycle(ports)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", next(turns)))
            for pair in [(client, server), (server, client)]:
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _pass_on(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class Rolling:
    """Two nodes of the same images."""

    def __init__(self, work, database, cloud, web, program):
        nodes = (Node(work / name, work / "images", database, "centralized_db", cloud.keystone) for name in ["old", "new"])
        self.old, self.new = nodes
        self.program = program
        self.all_of = Population(cloud.people, web)
        self.alice, self.admin = cloud.people["alice"], cloud.people["admin"]
        self.store = self.old.store
        self.found = []

    def run(self):
        """Leaves in `found` every difference and every surprise, a line each."""
        old, new = self.old, self.new
        servers.glance_manage(old, "sync")
        with servers.glance(old), servers.gander(self.program, new):
            self.hand_over(old.url, new.url, "from Glance to Gander")
            self.hand_over(new.url, old.url, "from Gander to Glance")
            with one_name([old.port, new.port]) as name:
                population.populate(name, self.all_of)
                population.change(name, self.all_of, 1)
            self.same_on_both("after what was done by one name")
            for nodes in [(old, new), (new, old)]:
                for race in [self.uploads_race, self.deletion_races_upload, self.deletions_race, self.deactivation_races_deletion]:
                    for _ in range(RACES):
                        race(*nodes)
            self.same_on_both("after races")

    def note(self, good, what):
        if not good:
            self.found.append(what)

    def same_on_both(self, when):
        """Both show the same of all images, and give the same data."""
        for what in [picture.of_api, picture.of_downloads]:
            first, second = (what(node.url, self.all_of) for node in (self.old, self.new))
            self.found += [f"{when}: {line}" for line in picture.differences(first, second)]

    def hand_over(self, here, there, title):
        """Made and used on one, used, changed and deleted on the other."""
        all_of, names = self.all_of, [f"{title}: kept", f"{title}: deleted"]
        for name in names:
            all_of.make(here, name, "alice", 200_000, visibility="shared", tags=["made"], about="it")
            all_of.share(here, name, "bob")
            for server in [here, there]:
                all_of.download(server, name, 2)
            all_of.ask(there, "PUT", name, f"/members/{all_of.people['bob'].project}", "bob", json={"status": "accepted"})
            all_of.change(there, name, ("replace", "/name", f"{name} and renamed"), ("replace", "/about", "that"))
            all_of.ask(there, "DELETE", name, "/tags/made")
            all_of.ask(there, "POST", name, "/actions/deactivate", "admin")
            all_of.ask(here, "GET", name, "/file", expect=403)
            all_of.ask(here, "POST", name, "/actions/reactivate", "admin")
        all_of.make(here, f"{title}: filled there", "alice")
        all_of.upload(there, f"{title}: filled there", "alice", 50_000)
        all_of.delete(there, names[1])
        # It is still in the cache here, and nobody's any more.
        all_of.ask(here, "GET", names[1], "/file", expect=404)

    def race(self, *steps):
        """Does all at the same moment; the statuses of the answers."""
        barrier = threading.Barrier(len(steps))

        def run(step):
            barrier.wait()
            return step().status_code

        with ThreadPoolExecutor(len(steps)) as pool:
            return list(pool.map(run, steps))

    def status(self, image):
        """What both say of it, which must be the same."""
        told = [self.admin.ask(node.url, "GET", f"/v2/images/{image}", (200, 404)) for node in (self.old, self.new)]
        kinds = [answer.json()["status"] if answer.ok else "gone" for answer in told]
        self.note(kinds[0] == kinds[1], f"{image} is {kinds[0]} for one and {kinds[1]} for the other")
        return kinds[0]

    def stored(self, image):
        return (self.store / image).exists()

    def uploads_race(self, first, second):
        """One image's data come to both servers: one has it, and the data are that one's."""
        image = self.alice.create(first.url, name="raced for")
        data = [population.data(f"{image}{number}", 400_000) for number in range(2)]
        upload = lambda node, body: lambda: self.alice.upload(node.url, image, body, expect=None)
        statuses = self.race(upload(first, data[0]), upload(second, data[1]))
        # Glance calls the image gone if it notices late that another was faster.
        lost = {first: statuses[0], second: statuses[1]}
        known = sorted(statuses) == [204, 409] or (lost[self.old] == 410 and lost[self.new] == 204)
        self.note(known, f"two uploads of {image} ended with {statuses}")
        kept = {node: self.alice.ask(node.url, "GET", f"/v2/images/{image}/file", 200).content for node in (first, second)}
        winner = data[statuses.index(204)] if 204 in statuses else None
        self.note(set(kept.values()) == {winner}, f"the data of {image} are not those of the upload that succeeded")
        self.note(self.status(image) == "active", f"{image} is not active")

    def deletion_races_upload(self, first, second):
        """However it ends, a deleted image has no data left."""
        image = self.alice.create(first.url, name="raced to its end")
        body = population.data(image, 2_000_000)
        statuses = self.race(
            lambda: self.alice.upload(first.url, image, body, expect=None),
            lambda: self.alice.ask(second.url, "DELETE", f"/v2/images/{image}"),
        )
        known = statuses[0] in (204, 404, 409, 410) and statuses[1] in (204, 409)
        self.note(known, f"upload and deletion of {image} ended with {statuses}")
        if statuses[1] == 409:
            self.alice.ask(first.url, "DELETE", f"/v2/images/{image}", 204)
        self.note(self.status(image) == "gone", f"{image} is there after its deletion: {statuses}")
        # Glance deletes the data that it saw before, and none that have become the image's since: it does so beside its like, too.
        missed = second is self.old and statuses == [204, 204]
        self.note(missed or not self.stored(image), f"the data of {image} stay after its deletion: {statuses}")

    def deletions_race(self, first, second):
        """One deletes it, the other finds it gone."""
        image = self.alice.create(first.url, name="deleted twice")
        self.alice.upload(second.url, image, b"data")
        delete = lambda node: lambda: self.alice.ask(node.url, "DELETE", f"/v2/images/{image}")
        statuses = self.race(delete(first), delete(second))
        self.note(204 in statuses and set(statuses) <= {204, 404, 409}, f"two deletions of {image} ended with {statuses}")
        self.note(self.status(image) == "gone" and not self.stored(image), f"something of {image} stays: {statuses}")

    def deactivation_races_deletion(self, first, second):
        """It is not brought back."""
        image = self.alice.create(first.url, name="deactivated and deleted")
        self.alice.upload(second.url, image, b"data")
        statuses = self.race(
            lambda: self.admin.ask(first.url, "POST", f"/v2/images/{image}/actions/deactivate"),
            lambda: self.alice.ask(second.url, "DELETE", f"/v2/images/{image}"),
        )
        # Glance fails with 500 if the image goes while it saves it.
        known = (statuses[0] in (204, 403, 404) or (first is self.old and statuses[0] == 500)) and statuses[1] == 204
        self.note(known, f"deactivation and deletion of {image} ended with {statuses}")
        self.note(self.status(image) == "gone" and not self.stored(image), f"something of {image} stays: {statuses}")
