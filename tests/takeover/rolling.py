"""Glance and Gander side by side, on one database and one store, behind one name; each with a cache of its own."""

import contextlib
import itertools
import socket
import threading
import time
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
                for race in self.races():
                    for _ in range(RACES):
                        race(*nodes)
            self.same_on_both("after races")
            self.cached_here_changed_there()
        self.scrubbers_race()

    def races(self):
        return [
            self.uploads_race, self.deletion_races_upload, self.deletions_race, self.deactivation_races_deletion,
            self.members_race, self.tags_race, self.properties_race, self.reactivation_races_deactivation,
        ]

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
        if second is self.old and statuses == [204, 204]:
            # Glance deletes the data that it saw before, and none that have become the image's since (beside its like it
            # does so, too): Gander looks again some seconds later.
            deadline = time.monotonic() + population.TAKES_LONG
            while self.stored(image) and time.monotonic() < deadline:
                time.sleep(0.1)
        self.note(not self.stored(image), f"the data of {image} stay after its deletion: {statuses}")

    def deletions_race(self, first, second):
        """One deletes it, the other finds it gone."""
        image = self.alice.create(first.url, name="deleted twice")
        self.alice.upload(second.url, image, b"data")
        delete = lambda node: lambda: self.alice.ask(node.url, "DELETE", f"/v2/images/{image}")
        statuses = self.race(delete(first), delete(second))
        self.note(204 in statuses and set(statuses) <= {204, 404, 409}, f"two deletions of {image} ended with {statuses}")
        self.note(self.status(image) == "gone" and not self.stored(image), f"something of {image} stays: {statuses}")

    def members_race(self, first, second):
        """Both get what they want, unless it is the same."""
        image = self.alice.create(first.url, name="shared twice", visibility="shared")
        add = lambda node, member: lambda: self.alice.ask(node.url, "POST", f"/v2/images/{image}/members", json={"member": member})
        statuses = self.race(add(first, "1" * 32), add(second, "2" * 32))
        self.note(statuses == [200, 200], f"two members of {image}: {statuses}")
        statuses = self.race(add(first, "3" * 32), add(second, "3" * 32))
        # Glance looks for the member first, and adds it then, whatever has been added meanwhile; nothing in the tables minds.
        self.note(sorted(statuses) in ([200, 409], [200, 200]), f"one member of {image} twice: {statuses}")
        third = ("3", "pending")
        possible = [[("1", "accepted"), ("2", "rejected"), *[third] * count] for count in range(1, statuses.count(200) + 1)]
        answer = lambda node, member, status: lambda: self.admin.ask(
            node.url, "PUT", f"/v2/images/{image}/members/{member}", json={"status": status}
        )
        statuses = self.race(answer(first, "1" * 32, "accepted"), answer(second, "2" * 32, "rejected"))
        self.note(statuses == [200, 200], f"two answers of members of {image}: {statuses}")
        for node in (first, second):
            told = self.alice.ask(node.url, "GET", f"/v2/images/{image}/members", 200).json()["members"]
            states = sorted((member["member_id"][0], member["status"]) for member in told)
            self.note(states in possible, f"members of {image}: {states}")
        self.alice.ask(self.new.url, "DELETE", f"/v2/images/{image}/members/{'3' * 32}", 204)
        for node in (first, second):
            self.alice.ask(node.url, "GET", f"/v2/images/{image}/members/{'3' * 32}", 404)

    def tags_race(self, first, second):
        """What is done on Glance stays. Glance writes all the tags that it knows: one that comes meanwhile it removes."""
        image = self.alice.create(first.url, name="tagged twice", tags=["before"])
        tag = lambda node: lambda: self.alice.ask(node.url, "PUT", f"/v2/images/{image}/tags/{self.name(node)}")
        statuses = self.race(tag(first), tag(second))
        self.note(statuses == [204, 204], f"two tags of {image}: {statuses}")
        tags = {*self.alice.ask(first.url, "GET", f"/v2/images/{image}", 200).json()["tags"]}
        self.note({"before", "old"} <= tags <= {"before", "old", "new"}, f"tags of {image}: {tags}")

    def properties_race(self, first, second):
        """What is done on Glance stays. Glance writes all the properties that it knows: what comes meanwhile it removes."""
        image = self.alice.create(first.url, name="changed twice", before="it")
        change = lambda node: lambda: self.alice.change(node.url, image, ("add", f"/{self.name(node)}", "now"), expect=None)
        statuses = self.race(change(first), change(second))
        known = statuses == [200, 200] or (statuses[second is self.new] == 409 and sorted(statuses) == [200, 409])
        self.note(known, f"two changes of {image}: {statuses}")
        told = self.alice.ask(first.url, "GET", f"/v2/images/{image}", 200).json()
        kept = {name: told.get(name) for name in ["before", "old"]}
        self.note(kept == {"before": "it", "old": "now"}, f"properties of {image}: {kept}, {statuses}")

    def name(self, node):
        return "old" if node is self.old else "new"

    def reactivation_races_deactivation(self, first, second):
        """It is one or the other for both, and the data stay."""
        image = self.alice.create(first.url, name="on and off")
        self.alice.upload(second.url, image, b"data")
        act = lambda node, action: lambda: self.admin.ask(node.url, "POST", f"/v2/images/{image}/actions/{action}")
        for one, other in [("deactivate", "reactivate"), ("reactivate", "deactivate"), ("deactivate", "deactivate")]:
            statuses = self.race(act(first, one), act(second, other))
            # Glance fails with 500 if somebody else was faster, beside its like, too.
            known = {first: {204, 403, 409}, second: {204, 403, 409}}
            known[self.old] |= {500}
            good = statuses[0] in known[first] and statuses[1] in known[second]
            self.note(good, f"{one} and {other} of {image} ended with {statuses}")
            status = self.status(image)
            self.note(status in ("active", "deactivated"), f"{image} is {status} after {one} and {other}: {statuses}")
        for node in (first, second):
            self.alice.ask(node.url, "GET", f"/v2/images/{image}/file", 403)
            self.note(self.admin.ask(node.url, "GET", f"/v2/images/{image}/file", 200).content == b"data", f"{image} lost its data")

    def cached_here_changed_there(self):
        """What Gander has cached is served as Glance's changes have it."""
        all_of, old, new = self.all_of, self.old.url, self.new.url
        for name in ["cached and deactivated", "cached and deleted"]:
            all_of.make(old, name, "alice", 70_000)
            all_of.download(new, name, 2)
        image = all_of.images["cached and deactivated"]
        all_of.ask(old, "POST", "cached and deactivated", "/actions/deactivate", "admin")
        all_of.ask(new, "GET", "cached and deactivated", "/file", expect=403)
        all_of.download(new, "cached and deactivated", 1, "admin")
        all_of.ask(old, "POST", "cached and deactivated", "/actions/reactivate", "admin")
        (self.store / image).rename(self.store / "away")
        all_of.download(new, "cached and deactivated", 1)
        (self.store / "away").rename(self.store / image)
        all_of.delete(old, "cached and deleted")
        for caller in all_of.people.values():
            caller.ask(new, "GET", f"/v2/images/{all_of.images['cached and deleted']}/file", 404)
        servers.tool(self.program, "cache", "verify", "--config-file", self.new.directory / "glance-api.conf")
        left = {entry["image_id"] for entry in population.cached(self.admin, new)}
        self.note(all_of.images["cached and deleted"] not in left, "Gander keeps an image that Glance has deleted")
        self.note(image in left, "Gander drops an image that is none the worse")

    def scrubbers_race(self):
        """Both remove what either has deleted, at the same time."""
        for node in (self.old, self.new):
            node.configure(scrub_time=0)
        with servers.glance(self.old), servers.gander(self.program, self.new):
            images = []
            for number in range(16):
                nodes = [self.old, self.new]
                images.append(self.alice.create(nodes[number % 2].url, name="scrubbed twice"))
                self.alice.upload(nodes[number // 2 % 2].url, images[-1], population.data(images[-1], 10_000))
                self.alice.ask(nodes[number // 4 % 2].url, "DELETE", f"/v2/images/{images[-1]}", 204)
            self.note(all(map(self.stored, images)), "data are removed at once where they should be removed later")
            commands = [[servers.VENV / "bin" / "glance-scrubber"], [self.program, "scrubber"]]
            threads = [
                threading.Thread(target=servers.tool, args=[*command, "--config-file", node.directory / "glance-api.conf"])
                for command, node in zip(commands, [self.old, self.new])
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            # What one of them lost to the other the next run ends.
            servers.tool(*commands[1], "--config-file", self.new.directory / "glance-api.conf")
            self.note(not any(map(self.stored, images)), "data stay after both scrubbers")
            rows = picture.of_database(self.old.database)["images"]
            left = [row for row in rows if "'pending_delete'" in row]
            self.note(not left, f"records wait for ever: {left}")

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
        # Glance tells owners of no locations of a deactivated image, and so leaves the data when one deletes it, race or no race.
        left = self.stored(image) and not (second is self.old and statuses[0] == 204)
        self.note(self.status(image) == "gone" and not left, f"something of {image} stays: {statuses}")
