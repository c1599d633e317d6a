"""python-glanceclient with its v2 API."""

import io

from glanceclient import Client, exc

from checked import RAW, Checked
from common import (
    MANY, PAGE, Caller, big_image, digests, endpoint, equal, eventually, noise, play, refused, step, true,
)

OWNER, GUEST, ADMIN = Caller(), Caller(), Caller("admin")
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def discovery(owner):
    with step("the server tells what it can"):
        versions = {version["id"] for version in owner.client.versions.list()}
        true({"v2.0", "v2.7", "v2.14", "v2.18"} <= versions, f"versions: {versions}")
        for schema in ("image", "images", "member", "members", "task", "tasks"):
            equal(owner.client.schemas.get(schema).name, schema, "the name of a schema")
        methods = owner.images.get_import_info()["import-methods"]
        true(isinstance(methods["value"], list), "import methods")
        refused(exc.HTTPNotFound, owner.images.get_stores_info)


def life_of_an_image(owner):
    images, data = owner.images, noise(70_000)
    with step("an image is registered, changed, filled, read and removed"):
        image = owner.make(name="plain", min_ram=64, tags=["new", "tëst"], arch="x86_64", colour="grün")
        equal((image.status, image.size, image.owner), ("queued", None, OWNER.project), "a registered image")
        equal((image.visibility, image.protected, image.os_hidden), ("shared", False, False), "defaults")
        equal(sorted(image.tags), ["new", "tëst"], "tags")
        equal(images.data(image.id).wrapped, None, "no data yet")
        image = images.update(image.id, name="fancy", min_disk=1, arch="arm64", extra="1", remove_props=["colour"])
        owner.valid("image", image)
        equal((image.name, image.min_disk, image.arch, image.extra), ("fancy", 1, "arm64", "1"), "changes")
        true("colour" not in image, "a removed property")
        images.upload(image.id, io.BytesIO(data))
        image = owner.get(image.id)
        size, md5, sha512 = digests([data])
        equal((image.status, image.size, image.checksum), ("active", size, md5), "a filled image")
        equal((image.os_hash_algo, image.os_hash_value), ("sha512", sha512), "its digest")
        equal(owner.content(image.id), data, "content")
        images.delete(image.id)
        refused(exc.HTTPNotFound, images.get, image.id)
        refused(exc.HTTPNotFound, images.delete, image.id)


def tags(owner):
    image = owner.make(name="tagged")
    with step("tags come and go"):
        for tag in ("one", "two words", "drüben"):
            owner.client.image_tags.update(image.id, tag)
        owner.client.image_tags.update(image.id, "one")
        equal(len(owner.get(image.id).tags), 3, "tags")
        equal(owner.names(filters={"tag": ["one", "two words"]}), ["tagged"], "by two tags")
        equal(owner.names(filters={"tag": ["one", "other"]}), [], "by a tag it has not")
        owner.client.image_tags.delete(image.id, "two words")
        refused(exc.HTTPNotFound, owner.client.image_tags.delete, image.id, "two words")
        true("two words" not in owner.get(image.id).tags, "a removed tag")
        owner.images.update(image.id, tags=["all", "new"])
        equal(sorted(owner.get(image.id).tags), ["all", "new"], "tags replaced")
    owner.images.delete(image.id)


def states(owner, admin):
    data = noise(1_000)
    with step("an image is protected, hidden and deactivated"):
        image = owner.make(data, name="kept", protected=True)
        refused(exc.HTTPForbidden, owner.images.delete, image.id)
        equal(owner.get(image.id).status, "active", "after the refusal")
        owner.images.update(image.id, protected=False, os_hidden=True)
        equal(owner.names(filters={"name": "kept"}), [], "hidden")
        equal(owner.names(filters={"name": "kept", "os_hidden": True}), ["kept"], "asked for")
        owner.images.update(image.id, os_hidden=False)
        equal(owner.names(filters={"name": "kept"}), ["kept"], "shown again")
        for _ in range(2):
            owner.images.deactivate(image.id)
            equal(owner.get(image.id).status, "deactivated", "status")
        refused(exc.HTTPForbidden, owner.images.data, image.id)
        equal(admin.content(image.id), data, "what an admin reads")
        for _ in range(2):
            owner.images.reactivate(image.id)
            equal(owner.content(image.id), data, "what the owner reads again")
        owner.images.delete(image.id)


def refusals(owner):
    images = owner.images
    with step("what is wrong is refused"):
        image = owner.make(b"x", name="there")
        refused(exc.HTTPConflict, images.create, id=image.id, name="twice", **RAW)
        refused(exc.HTTPConflict, images.upload, image.id, io.BytesIO(b"y"))
        refused(exc.HTTPForbidden, images.update, image.id, disk_format="qcow2")
        refused(exc.HTTPForbidden, images.update, image.id, visibility="public")
        refused(exc.HTTPForbidden, images.create, name="gift", owner=GUEST.project)
        refused(exc.HTTPForbidden, owner.cache.list)
        refused(exc.HTTPNotFound, images.get, UNKNOWN)
        refused(exc.HTTPNotFound, images.data, UNKNOWN)
        refused(exc.HTTPBadRequest, images.list, filters={"size_min": "many"})
        refused(exc.HTTPBadRequest, images.list, filters={"visibility": "odd"})
        refused(exc.HTTPBadRequest, images.list, marker=UNKNOWN)
        # The client has the formats from the schema of the server, and does not even ask.
        refused(TypeError, images.create, name="odd", disk_format="pudding")
        formless = images.create(name="formless")
        refused(exc.HTTPBadRequest, images.upload, formless.id, io.BytesIO(b"z"))
        equal(owner.get(formless.id).status, "queued", "after the refusal")
        short = owner.make(name="short")
        refused(exc.HTTPBadRequest, images.upload, short.id, io.BytesIO(b"z"), image_size=2)
        equal(owner.get(short.id).status, "queued", "after a short upload")
        unauthorized = Client("2", endpoint())
        refused(exc.HTTPUnauthorized, unauthorized.images.list)
        for unwanted in (image, formless, short):
            images.delete(unwanted.id)


def paging(owner):
    names = [f"page-{number:04}" for number in range(MANY)]
    with step(f"{MANY} images are made"):
        for number, name in enumerate(names):
            owner.images.create(name=name, min_ram=number, parity=str(number % 2), tags=[f"t{number % 10}"], **RAW)
    ascending = {"sort_key": "name", "sort_dir": "asc", "page_size": PAGE}
    with step("they are listed by pages"):
        equal(owner.names(**ascending), names, "all of them, ascending")
        equal(owner.names(sort="name:desc", page_size=PAGE), names[::-1], "all of them, descending")
        # The default order is by the second of creation, so only the set of names is known.
        equal(sorted(owner.names()), names, "with the page size of the client")
        equal(len(owner.list(page_size=2000)), MANY, "with a page larger than the server makes")
        equal(owner.names(limit=250, **ascending), names[:250], "a limit across pages")
        middle = owner.list(filters={"name": "page-0500"})[0]
        equal(owner.names(marker=middle.id, limit=3, **ascending), names[501:504], "after a marker")
        equal(owner.names(sort="status:asc,name:desc", limit=2), names[:-3:-1], "by two keys")
    with step("they are filtered"):
        equal(owner.names(filters={"parity": "1"}, **ascending), names[1::2], "by a property")
        equal(owner.names(filters={"tag": ["t7"]}, **ascending), names[7::10], "by a tag")
        equal(owner.names(filters={"min_ram_min": 100, "min_ram_max": 300}, **ascending), names[100:301], "a range")
        equal(owner.names(filters={"name": "in:page-0001,page-0003"}, **ascending), names[1:4:2], "one of two names")
        equal(owner.names(filters={"status": "active"}), [], "by status")
        equal(len(owner.list(filters={"owner": OWNER.project, "visibility": "shared"})), MANY, "by owner")


def sharing(owner, guest):
    data = noise(5_000)
    with step("two projects share an image"):
        image = owner.make(data, name="shared")
        refused(exc.HTTPNotFound, guest.images.get, image.id)
        member = owner.valid("member", owner.members.create(image.id, GUEST.project))
        equal((member.member_id, member.image_id, member.status), (GUEST.project, image.id, "pending"), "the member")
        refused(exc.HTTPConflict, owner.members.create, image.id, GUEST.project)
        equal(guest.content(image.id), data, "what a member reads")
        equal(guest.names(), [], "not yet accepted")
        equal(guest.names(filters={"member_status": "pending"}), ["shared"], "pending")
        refused(exc.HTTPForbidden, owner.members.update, image.id, GUEST.project, "accepted")
        for status in ("rejected", "accepted"):
            member = guest.valid("member", guest.members.update(image.id, GUEST.project, status))
            equal(member.status, status, "the member")
            equal(owner.members.get(image.id, GUEST.project).status, status, "as the owner sees it")
            equal(guest.names(), ["shared"] if status == "accepted" else [], f"listed when {status}")
        refused(exc.HTTPBadRequest, guest.members.update, image.id, GUEST.project, "perhaps")
        refused(exc.HTTPForbidden, guest.images.update, image.id, name="mine")
        refused(exc.HTTPForbidden, guest.images.delete, image.id)
        refused(exc.HTTPForbidden, guest.members.create, image.id, "a-third")
        owner.members.create(image.id, "a-third")
        equal(len(owner.member_list(image.id)), 2, "members, for the owner")
        equal([m.member_id for m in guest.member_list(image.id)], [GUEST.project], "members, for a member")
        owner.members.delete(image.id, GUEST.project)
        refused(exc.HTTPNotFound, guest.images.get, image.id)
        refused(exc.HTTPNotFound, owner.members.delete, image.id, GUEST.project)
    with step("others see what is public or in the community, and nothing private"):
        owner.images.update(image.id, visibility="private")
        refused(exc.HTTPForbidden, owner.members.create, image.id, GUEST.project)
        owner.images.update(image.id, visibility="community")
        equal(guest.content(image.id), data, "what anybody reads")
        equal(guest.names(filters={"owner": OWNER.project}), [], "not listed unless")
        found = guest.names(filters={"owner": OWNER.project, "visibility": "community"})
        equal(found, ["shared"], "asked for")
        owner.images.delete(image.id)


def caching(owner, admin):
    data = noise(30_000)

    def cached():
        return {entry["image_id"]: entry for entry in admin.cache.list()["cached_images"]}

    with step("images are cached, queued and forgotten"):
        admin.cache.clear("both")
        image, other = owner.make(data, name="cached"), owner.make(data, name="queued")
        waiting = owner.make(name="waiting")
        equal(owner.content(image.id), data, "the first download")
        eventually("the image is cached", lambda: image.id in cached())
        equal(owner.content(image.id), data, "the second download")
        equal((cached()[image.id]["size"], cached()[image.id]["hits"]), (len(data), 1), "the entry")
        admin.cache.queue(other.id)
        eventually("the queued image is cached", lambda: other.id in cached())
        eventually("the queue is empty", lambda: admin.cache.list()["queued_images"] == [])
        equal(owner.content(other.id), data, "what was queued")
        refused(exc.HTTPBadRequest, admin.cache.queue, waiting.id)
        refused(exc.HTTPNotFound, admin.cache.queue, UNKNOWN)
        refused(exc.HTTPNotFound, admin.cache.delete, UNKNOWN)
        admin.cache.delete(image.id)
        equal(set(cached()), {other.id}, "after one was removed")
        admin.cache.clear("queue")
        equal(set(cached()), {other.id}, "after the queue was cleared")
        admin.cache.clear("cache")
        equal(cached(), {}, "after the cache was cleared")
        admin.cache.clean()
        equal(set(admin.cache.prune()), {"total_files_pruned", "total_bytes_pruned"}, "what pruning tells")
        equal(owner.content(image.id), data, "a download after all that")
        owner.images.delete(image.id)
        eventually("no entry of a deleted image", lambda: image.id not in cached())
        for unwanted in (other, waiting):
            owner.images.delete(unwanted.id)


def one_gibibyte(owner):
    image = owner.make(name="big")
    with step("a GiB is made"), big_image() as (path, sums):
        with step("it is uploaded"), open(path, "rb") as file:
            owner.images.upload(image.id, file, image_size=sums[0])
    image = owner.get(image.id)
    equal((image.size, image.checksum, image.os_hash_value), sums, "the record")
    with step("it is downloaded"):
        equal(digests(owner.images.data(image.id, do_checksum=False)), sums, "what came back")
    owner.images.delete(image.id)


def main():
    owner, guest, admin = Checked(OWNER), Checked(GUEST), Checked(ADMIN)
    play(
        (discovery, owner),
        (life_of_an_image, owner),
        (tags, owner),
        (states, owner, admin),
        (refusals, owner),
        (sharing, owner, guest),
        (caching, owner, admin),
        (paging, owner),
        (one_gibibyte, owner),
    )


if __name__ == "__main__":
    main()
