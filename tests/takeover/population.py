"""Images of every kind, made and changed through whichever server is asked."""

import contextlib
import http.server
import random
import threading
import time

BIG = 9_000_017
TAKES_LONG = 20
IMPORTED = ["imported from here", "imported from there", "imported from nowhere"]


def data(name, size):
    """The same bytes for the same name, that no format knows."""
    return random.Random(name).randbytes(size)


@contextlib.contextmanager
def origin():
    """A web server at whose every path lie the data of `located`; they end early at `/stalling`, but not the answer."""
    body = data("located", 70_001)
    ended = threading.Event()

    class Origin(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()
            if self.path == "/stalling":
                self.wfile.write(body[:1000])
                self.wfile.flush()
                ended.wait()
            else:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


class Population:
    """What was made, by name, deleted images as well; and what their data are."""

    def __init__(self, people, web, stores=()):
        self.people = people
        self.web = web
        self.stores = stores
        self.images = {}
        self.data = {}

    def make(self, server, name, by="alice", size=None, **record):
        """An image, with data if it has a size."""
        caller = self.people[by]
        self.images[name] = caller.create(server, name=record.pop("called", name), **record)
        if size is not None:
            self.upload(server, name, by, size)

    def upload(self, server, name, by, size):
        self.data[name] = data(name, size)
        # To the default one and to those that are named.
        store = [None, *self.stores][len(name) % (len(self.stores) + 1)]
        self.people[by].upload(server, self.images[name], self.data[name], store=store)

    def change(self, server, name, *changes, by="alice", expect=200):
        return self.people[by].change(server, self.images[name], *changes, expect=expect)

    def ask(self, server, method, name, path="", by="alice", expect=(200, 201, 202, 204), **options):
        return self.people[by].ask(server, method, f"/v2/images/{self.images[name]}{path}", expect, **options)

    def share(self, server, name, person, answer=None, by="alice"):
        project = self.people[person].project
        self.ask(server, "POST", name, "/members", by, 200, json={"member": project})
        if answer:
            self.ask(server, "PUT", name, f"/members/{project}", person, 200, json={"status": answer})

    def delete(self, server, name, by="alice"):
        self.ask(server, "DELETE", name, by=by, expect=204)

    def located(self, server, name, *metadata):
        """An image whose data lie elsewhere, once for each metadata."""
        self.make(server, name)
        self.data[name] = data("located", 70_001)
        for number, words in enumerate(metadata):
            place = {"url": f"{self.web}/{name}/{number}", "metadata": words}
            self.change(server, name, ("add", "/locations/-", place))

    def download(self, server, name, times, by="alice"):
        for _ in range(times):
            answer = self.ask(server, "GET", name, "/file", by, 200)
            assert answer.content == self.data[name], f"{name}: not its data"

    def cache(self, server, name):
        """Has an image cached, and waits for that."""
        admin, image = self.people["admin"], self.images[name]
        admin.ask(server, "PUT", f"/v2/cache/{image}", 202)
        deadline = time.monotonic() + TAKES_LONG
        while image not in [entry["image_id"] for entry in cached(admin, server)]:
            assert time.monotonic() < deadline, f"{name} is not cached"
            time.sleep(0.05)

    def evict(self, server, name):
        self.people["admin"].ask(server, "DELETE", f"/v2/cache/{self.images[name]}", 204)


def cached(admin, server):
    return admin.ask(server, "GET", "/v2/cache", 200).json()["cached_images"]


def populate(server, all_of):
    """The first images."""
    for visibility in ["private", "shared", "community", "public"]:
        for by in ["alice", "bob"]:
            size = 1000 + len(visibility) + len(by)
            all_of.make(server, f"{visibility} of {by}", by, size, visibility=visibility, called=visibility)
    all_of.make(server, "of the admin", "admin", 4096, visibility="public", min_disk=3, min_ram=512)
    all_of.make(server, "big", "alice", BIG, disk_format="raw", tags=["big", "one"])
    all_of.make(server, "empty", "alice", 0)
    all_of.make(server, "queued", "alice", tags=["later"], min_disk=1)
    all_of.make(server, "of a format", "alice", disk_format="qcow2", container_format="ovf")
    all_of.make(server, "without formats", "bob", disk_format=None, container_format=None)
    all_of.make(server, "nameless", "bob", 7, called=None)
    all_of.make(server, "chosen", "alice", id="0c0ffee0-0000-4000-8000-00000000aaaa", tags=["b", "a", "é", "b"])
    all_of.make(server, "protected", "alice", 2222, protected=True, visibility="community")
    all_of.make(server, "hidden", "alice", 3333, os_hidden=True, visibility="public")
    properties = {"os_distro": "débian", "hw_disk_bus": "virtio", "empty": "", "kernel_id": "1" * 36, "long": "x" * 9000}
    all_of.make(server, "with properties", "alice", 5555, tags=["día", "x y"], called="naïve \u2603 'name' \"%_\\", **properties)
    all_of.change(server, "with properties", ("remove", "/empty"), ("add", "/empty", "again"), ("remove", "/hw_disk_bus"))
    all_of.change(server, "with properties", ("replace", "/tags", ["día", "z"]))
    many = {f"property_{number}": f"value {number}" for number in range(2000)}
    all_of.make(server, "with many properties", "alice", 99, **many, longest="ü" * 30_000)
    everything = {"visibility": "community", "os_hidden": True, "protected": True, "tags": ["all"], "min_disk": 1}
    all_of.make(server, "all at once", "alice", 6666, **everything)
    all_of.ask(server, "POST", "all at once", "/actions/deactivate", "admin")
    all_of.make(server, "given away", "alice", 1234)
    all_of.change(server, "given away", ("replace", "/owner", all_of.people["bob"].project), by="admin")

    all_of.make(server, "for many", "alice", 60_000, visibility="shared")
    all_of.share(server, "for many", "bob", "accepted")
    all_of.share(server, "for many", "carol")
    all_of.share(server, "for many", "admin", "rejected")
    all_of.make(server, "for very many", "alice", 50, visibility="shared")
    for number in range(45):
        member = f"{number:032x}"
        all_of.ask(server, "POST", "for very many", "/members", json={"member": member})
        answer = {"status": ["pending", "accepted", "rejected"][number % 3]}
        all_of.ask(server, "PUT", "for very many", f"/members/{member}", "admin", json=answer)
    all_of.make(server, "no longer shared", "bob", 77, visibility="shared")
    all_of.share(server, "no longer shared", "alice", "accepted", by="bob")
    all_of.ask(server, "DELETE", "no longer shared", f"/members/{all_of.people['alice'].project}", "bob")
    all_of.located(server, "located", {})
    all_of.located(server, "located twice", {"where": "far"}, {"where": "farther"})
    all_of.located(server, "located often", *({"place": str(number)} for number in range(7)))

    all_of.make(server, "cached, then deactivated", "alice", 8_000)
    all_of.download(server, "cached, then deactivated", 3)
    all_of.make(server, "deactivated", "alice", 9_000, visibility="community")
    for name in ["cached, then deactivated", "deactivated"]:
        all_of.ask(server, "POST", name, "/actions/deactivate", "admin")
    all_of.make(server, "deactivated and back", "alice", 900)
    for action in ["deactivate", "reactivate"]:
        all_of.ask(server, "POST", "deactivated and back", f"/actions/{action}", "admin")

    all_of.make(server, "deleted", "alice", 5000, visibility="shared", tags=["gone"], left="behind")
    all_of.share(server, "deleted", "bob", "accepted")
    all_of.download(server, "deleted", 2)
    all_of.make(server, "deleted before its data", "bob")
    all_of.delete(server, "deleted")
    all_of.delete(server, "deleted before its data", "bob")


def define_metadata(server, admin):
    """What Gander does not serve, and must leave alone."""
    namespace = {
        "namespace": "Takeover::Test", "visibility": "public", "resource_type_associations": [{"name": "OS::Glance::Image"}],
        "properties": {"colour": {"title": "Colour", "type": "string"}}, "tags": [{"name": "blue"}],
    }
    admin.ask(server, "POST", "/v2/metadefs/namespaces", 201, json=namespace)


def import_images(server, all_of):
    """Images that are imported, or should be: Glance keeps account of that, and Gander does not serve it."""
    direct, remote, lost = IMPORTED
    for name in IMPORTED:
        all_of.make(server, name)
    stage(server, all_of, direct)
    all_of.data[remote] = data("located", 70_001)
    places = {direct: {}, remote: {"uri": f"{all_of.web}/x"}, lost: {"uri": "http://127.0.0.1:1/x"}}
    for name, place in places.items():
        method = {"name": "web-download" if place else "glance-direct", **place}
        all_of.ask(server, "POST", name, "/import", expect=202, json={"method": method})
        # One after the other, as Glance fails with SQLite's locks otherwise.
        deadline = time.monotonic() + TAKES_LONG
        while any(task["status"] in ("pending", "processing") for task in tasks(server, all_of, name)):
            assert time.monotonic() < deadline, f"the task of {name} does not end"
            time.sleep(0.2)
    status = {name: all_of.ask(server, "GET", name).json()["status"] for name in places}
    assert status == {direct: "active", remote: "active", lost: "queued"}, status


def tasks(server, all_of, name):
    """What Glance tells of the work on an image."""
    return all_of.ask(server, "GET", name, "/tasks").json()["tasks"]


def stage(server, all_of, name):
    all_of.data[name] = data(name, 12_345)
    headers = {"Content-Type": "application/octet-stream"}
    all_of.ask(server, "PUT", name, "/stage", expect=204, data=all_of.data[name], headers=headers)


# Images whose data are in every store that takes any, after each turn of Glance, which alone copies them.
EVERYWHERE = ["with properties", "protected", "big"]


def copy(server, all_of):
    """Has images copied into all stores, if there are several."""
    for name in EVERYWHERE if all_of.stores else []:
        order = {"method": {"name": "copy-image"}, "all_stores": True}
        all_of.ask(server, "POST", name, "/import", "admin", 202, json=order)
        deadline = time.monotonic() + TAKES_LONG
        while True:
            image = all_of.ask(server, "GET", name, by="admin").json()
            everywhere = set(all_of.stores) == set(image["stores"].split(","))
            ended = all(task["status"] == "success" for task in tasks(server, all_of, name))
            if everywhere and ended and not image.get("os_glance_importing_to_stores"):
                break
            assert time.monotonic() < deadline, f"{name} is not copied: {image}"
            time.sleep(0.05)


def withdraw(server, all_of):
    """Takes them out of one store again, each out of another one."""
    for number, name in enumerate(EVERYWHERE if all_of.stores else []):
        store = all_of.stores[number % len(all_of.stores)]
        image = all_of.images[name]
        all_of.people["admin"].ask(server, "DELETE", f"/v2/stores/{store}/{image}", 204)
        told = all_of.ask(server, "GET", name, by="admin").json()
        assert store not in told["stores"].split(","), f"{name} is still in {store}"


def change(server, all_of, turn):
    """One change of every kind, by the turn whose number is in names. Each turn leaves the next one what it needs."""
    all_of.make(server, f"made in {turn}", "bob", 300_000 + turn, tags=[f"t{turn}"], visibility="public", turn=str(turn))
    all_of.make(server, f"empty in {turn}", "alice", 0)
    all_of.located(server, f"located in {turn}", {"turn": str(turn)}, {})
    all_of.change(server, f"located in {turn}", ("remove", "/locations/0"), by="admin")
    all_of.make(server, f"waiting since {turn}", "alice")
    all_of.upload(server, "queued" if turn == 1 else f"waiting since {turn - 1}", "alice", 44_000)
    all_of.change(
        server, "with properties", ("replace", "/name", f"turn {turn} ✓"), ("add", f"/turn{turn}", "é"), ("replace", "/empty", ""),
        ("remove", "/long") if turn == 1 else ("remove", f"/turn{turn - 1}"),
    )
    all_of.ask(server, "PUT", "with properties", f"/tags/turn{turn}")
    all_of.ask(server, "DELETE", "with properties", "/tags/z" if turn == 1 else f"/tags/turn{turn - 1}")
    carol = all_of.people["carol"].project
    if turn != 2:
        if turn == 3:
            all_of.share(server, "for many", "carol")
        all_of.ask(server, "PUT", "for many", f"/members/{carol}", "carol", json={"status": "accepted"})
        all_of.ask(server, "POST", "nameless", "/actions/deactivate", "admin")
    else:
        all_of.ask(server, "DELETE", "for many", f"/members/{carol}")
        all_of.ask(server, "PUT", "no longer shared", f"/members/{all_of.people['alice'].project}", json={"status": "rejected"})
        all_of.ask(server, "POST", "nameless", "/actions/reactivate", "admin")
    if turn == 1:
        all_of.share(server, "no longer shared", "alice", "accepted", by="bob")
        all_of.ask(server, "POST", "cached, then deactivated", "/actions/reactivate", "admin")
    all_of.change(
        server, "with many properties", ("remove", f"/property_{turn}"), ("replace", "/property_0", f"turn {turn}"),
        ("add", f"/property_{turn}_more", "new"),
    )
    all_of.ask(server, "DELETE", "for very many", f"/members/{turn:032x}")
    all_of.change(server, "located often", ("remove", f"/locations/{turn}"), by="admin")
    all_of.change(server, "hidden", ("replace", "/os_hidden", turn != 1))
    all_of.change(server, "shared of alice", ("replace", "/visibility", "community" if turn == 1 else "private"))
    all_of.change(server, "protected", ("replace", "/protected", turn != 1), ("replace", "/min_ram", turn))
    all_of.delete(server, ["public of alice", "public of bob", "of the admin"][turn - 1], "admin")
    all_of.delete(server, "located" if turn == 1 else f"located in {turn - 1}")
    if turn > 1:
        all_of.delete(server, f"made in {turn - 1}", "bob")

    all_of.evict(server, "for many" if turn == 1 else "big")
    all_of.download(server, f"made in {turn}", 2, "bob")
    all_of.cache(server, f"located in {turn}")
