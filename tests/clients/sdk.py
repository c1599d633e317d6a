"""openstacksdk, whose image resources follow what the server says its version can."""

import io

from openstack import exceptions
from openstack.connection import Connection

from common import (
    MANY, PAGE, Caller, Digests, big_image, digests, endpoint, equal, eventually, noise, play, refused, step, true,
)

OWNER, GUEST, ADMIN = Caller(), Caller(), Caller("admin")
RAW = {"disk_format": "raw", "container_format": "bare"}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def client(caller):
    return Connection(session=caller.session(), image_endpoint_override=endpoint(), image_api_version="2").image


class Sink(io.RawIOBase):
    """Where a download goes that is only measured; the library compares its digest with os_hash_value meanwhile."""

    def __init__(self):
        self.sums = Digests()

    def writable(self):
        return True

    def write(self, chunk):
        self.sums.feed(chunk)
        return len(chunk)


def content(images, image):
    return images.download_image(image.id).content


def make(images, name, data=None, **fields):
    return images.create_image(name, data=data, allow_duplicates=True, validate_checksum=False, **RAW, **fields)


def names(images, **query):
    return [image.name for image in images.images(**query)]


def discovery(owner):
    with step("the server tells what it can"):
        equal(owner.get_api_major_version()[0], 2, "the version")
        equal(owner.get_image_schema().name, "image", "the schema of images")
        equal(owner.get_members_schema().name, "members", "the schema of members")
        equal(owner.get_tasks_schema().name, "tasks", "the schema of tasks")
        true("value" in owner.get_import_info().import_methods, "import methods")
        refused(exceptions.NotFoundException, owner.stores)


def life_of_an_image(owner):
    data = noise(70_000)
    size, md5, sha512 = digests([data])
    with step("an image is registered, changed, filled, read and removed"):
        image = make(owner, "plain", min_ram=64, tags=["new", "tëst"], arch="x86_64", colour="grün")
        equal((image.status, image.size, image.owner_id), ("queued", None, OWNER.project), "a registered image")
        equal((image.visibility, image.is_protected, image.is_hidden), ("shared", False, False), "defaults")
        equal(image.properties["colour"], "grün", "a property")
        image = owner.update_image(image.id, name="fancy", min_disk=1, arch="arm64")
        equal((image.name, image.min_disk, image.min_ram), ("fancy", 1, 64), "changes")
        true(owner.update_image_properties(owner.get_image(image.id), extra="1"), "properties were updated")
        image = owner.get_image(image.id)
        equal((image.properties["arch"], image.properties["extra"]), ("arm64", "1"), "properties")
        equal(owner.find_image("fancy").id, image.id, "found by name")
        equal(owner.find_image("nobody"), None, "not found")
        owner.delete_image(image.id)
        refused(exceptions.NotFoundException, owner.get_image, image.id)
        refused(exceptions.NotFoundException, owner.delete_image, image.id, ignore_missing=False)
    with step("an image is made with its data"):
        image = owner.create_image("whole", data=data, validate_checksum=True, wait=True, **RAW)
        image = owner.wait_for_status(owner.get_image(image.id), "active")
        equal((image.size, image.checksum, image.hash_value), (size, md5, sha512), "the record")
        equal(content(owner, image), data, "content")
        again = owner.create_image("whole", data=data, validate_checksum=True, **RAW)
        equal(again.id, image.id, "the same data under the same name")
        owner.delete_image(image.id)


def tags(owner):
    image = make(owner, "tagged")
    with step("tags come and go"):
        for tag in ("one", "two words", "one"):
            owner.add_tag(image.id, tag)
        equal(sorted(owner.get_image(image.id).tags), ["one", "two words"], "tags")
        equal(names(owner, tag="two words"), ["tagged"], "by a tag")
        owner.remove_tag(image.id, "two words")
        refused(exceptions.NotFoundException, owner.remove_tag, image.id, "two words")
        equal(owner.get_image(image.id).tags, ["one"], "tags")
        equal(sorted(owner.update_image(image.id, tags=["all", "new"]).tags), ["all", "new"], "tags replaced")
    owner.delete_image(image.id)


def states(owner, admin):
    data = noise(1_000)
    with step("an image is protected, hidden and deactivated"):
        image = make(owner, "kept", data, protected=True)
        refused(exceptions.ForbiddenException, owner.delete_image, image.id)
        owner.update_image(image.id, is_protected=False, is_hidden=True)
        equal(names(owner, name="kept"), [], "hidden")
        equal(names(owner, name="kept", is_hidden=True), ["kept"], "asked for")
        owner.update_image(image.id, is_hidden=False)
        for _ in range(2):
            owner.deactivate_image(image.id)
            equal(owner.get_image(image.id).status, "deactivated", "status")
        refused(exceptions.SDKException, content, owner, image)
        equal(content(admin, image), data, "what an admin reads")
        for _ in range(2):
            owner.reactivate_image(image.id)
        equal(content(owner, image), data, "what the owner reads again")
        owner.delete_image(image.id)


def refusals(owner):
    with step("what is wrong is refused"):
        image = make(owner, "there", b"x")
        refused(exceptions.ConflictException, make, owner, "twice", id=image.id)
        refused(exceptions.ForbiddenException, owner.update_image, image.id, disk_format="qcow2")
        refused(exceptions.ForbiddenException, owner.update_image, image.id, visibility="public")
        refused(exceptions.ForbiddenException, make, owner, "gift", owner=GUEST.project)
        refused(exceptions.ForbiddenException, owner.get_image_cache)
        refused(exceptions.BadRequestException, make, owner, "odd", min_ram=-1)
        refused(exceptions.NotFoundException, owner.get_image, UNKNOWN)
        refused(exceptions.BadRequestException, owner.images, size_min="many")
        refused(exceptions.BadRequestException, owner.images, marker=UNKNOWN)
        owner.delete_image(image.id)


def paging(owner):
    wanted = [f"page-{number:04}" for number in range(MANY)]
    with step(f"{MANY} images are made"):
        for number, name in enumerate(wanted):
            make(owner, name, min_ram=number, tags=[f"t{number % 10}"])
    ascending = {"sort": "name:asc", "limit": PAGE}
    with step("they are listed by pages"):
        equal(names(owner, **ascending), wanted, "all of them, ascending")
        equal(names(owner, sort_key="name", sort_dir="desc", limit=PAGE), wanted[::-1], "all of them, descending")
        # The default order is by the second of creation, so only the set of names is known.
        equal(sorted(names(owner)), wanted, "with the page size of the server")
        equal(names(owner, paginated=False, **ascending), wanted[:PAGE], "one page")
        middle = owner.find_image("page-0500")
        equal(names(owner, marker=middle.id, **ascending), wanted[501:], "after a marker")
        equal(names(owner, tag="t7", **ascending), wanted[7::10], "by a tag")
        equal(names(owner, name="in:page-0001,page-0003", sort="name:asc"), wanted[1:4:2], "one of two names")
        equal(names(owner, status="active"), [], "by status")
        equal(len(names(owner, owner=OWNER.project, visibility="shared", limit=PAGE)), MANY, "by owner")


def sharing(owner, guest):
    data = noise(5_000)
    with step("two projects share an image"):
        image = make(owner, "shared", data)
        refused(exceptions.NotFoundException, guest.get_image, image.id)
        member = owner.add_member(image.id, member_id=GUEST.project)
        equal((member.member_id, member.image_id, member.status), (GUEST.project, image.id, "pending"), "the member")
        refused(exceptions.ConflictException, owner.add_member, image.id, member_id=GUEST.project)
        equal(content(guest, image), data, "what a member reads")
        equal(names(guest), [], "not yet accepted")
        equal(names(guest, member_status="pending"), ["shared"], "pending")
        refused(exceptions.ForbiddenException, owner.update_member, GUEST.project, image.id, status="accepted")
        for status in ("rejected", "accepted"):
            guest.update_member(GUEST.project, image.id, status=status)
            equal(owner.get_member(GUEST.project, image.id).status, status, "as the owner sees it")
            equal(names(guest), ["shared"] if status == "accepted" else [], f"listed when {status}")
        refused(exceptions.ForbiddenException, guest.update_image, image.id, name="mine")
        refused(exceptions.ForbiddenException, guest.delete_image, image.id)
        owner.add_member(image.id, member_id="a-third")
        equal(len(list(owner.members(image.id))), 2, "members, for the owner")
        equal([member.member_id for member in guest.members(image.id)], [GUEST.project], "members, for a member")
        owner.remove_member(GUEST.project, image.id, ignore_missing=False)
        refused(exceptions.NotFoundException, guest.get_image, image.id)
        refused(exceptions.NotFoundException, owner.remove_member, GUEST.project, image.id, ignore_missing=False)
    with step("others see what is in the community, and nothing private"):
        owner.update_image(image.id, visibility="private")
        refused(exceptions.ForbiddenException, owner.add_member, image.id, member_id=GUEST.project)
        owner.update_image(image.id, visibility="community")
        equal(content(guest, image), data, "what anybody reads")
        equal(names(guest, owner=OWNER.project), [], "not listed unless")
        equal(names(guest, owner=OWNER.project, visibility="community"), ["shared"], "asked for")
        owner.delete_image(image.id)


def caching(owner, admin):
    data = noise(30_000)

    def cached():
        return {entry["image_id"]: entry for entry in admin.get_image_cache().cached_images}

    with step("images are cached, queued and forgotten"):
        admin.clear_cache()
        image, other = make(owner, "cached", data), make(owner, "queued", data)
        equal(content(owner, image), data, "the first download")
        eventually("the image is cached", lambda: image.id in cached())
        equal(content(owner, image), data, "the second download")
        equal((cached()[image.id]["size"], cached()[image.id]["hits"]), (len(data), 1), "the entry")
        admin.queue_image(other.id)
        eventually("the queued image is cached", lambda: other.id in cached())
        eventually("the queue is empty", lambda: admin.get_image_cache().queued_images == [])
        refused(exceptions.NotFoundException, admin.queue_image, UNKNOWN)
        refused(exceptions.NotFoundException, admin.cache_delete_image, UNKNOWN, ignore_missing=False)
        admin.cache_delete_image(image.id, ignore_missing=False)
        equal(set(cached()), {other.id}, "after one was removed")
        admin.clear_cache("queue")
        equal(set(cached()), {other.id}, "after the queue was cleared")
        admin.clear_cache("cache")
        equal(cached(), {}, "after the cache was cleared")
        admin.clean_cache()
        equal(set(admin.prune_cache()), {"total_files_pruned", "total_bytes_pruned"}, "what pruning tells")
        for unwanted in (image, other):
            owner.delete_image(unwanted.id)


def one_gibibyte(owner):
    with step("a GiB is made"), big_image() as (path, sums):
        with step("it is uploaded"):
            image = owner.create_image("big", filename=path, validate_checksum=False, **RAW)
    image = owner.get_image(image.id)
    equal((image.size, image.checksum, image.hash_value), sums, "the record")
    with step("it is downloaded"):
        sink = Sink()
        owner.download_image(image.id, stream=True, output=sink)
        equal(sink.sums.all(), sums, "what came back")
    owner.delete_image(image.id)


def main():
    owner, guest, admin = client(OWNER), client(GUEST), client(ADMIN)
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
