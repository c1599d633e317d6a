"""python-glanceclient with its v1 API, for a release from when v1 was the default and for the newest that has it."""

import io

from glanceclient import Client, exc

from common import (
    MANY, PAGE, Caller, big_image, digests, endpoint, equal, eventually, noise, play, refused, step, true,
)

OWNER, GUEST, ADMIN = Caller(), Caller(), Caller("admin")
RAW = {"disk_format": "raw", "container_format": "bare"}


def client(caller):
    return Client("1", endpoint(), identity_headers=dict(caller.headers))


def content(images, image):
    """The bytes; the client compares their MD5 with the checksum of the record."""
    return b"".join(images.data(image))


def life_of_an_image(owner):
    images = owner.images
    data = noise(70_000)
    with step("an image is registered, changed, filled, read and removed"):
        image = images.create(name="plain", properties={"arch": "x86_64", "colour": "green"}, min_ram=64, **RAW)
        equal((image.status, image.size, image.owner), ("queued", 0, OWNER.project), "a registered image")
        image = images.update(image, name="fancy", properties={"arch": "arm64"}, purge_props=True)
        equal((image.name, image.properties), ("fancy", {"arch": "arm64"}), "properties purged")
        image = images.update(image, properties={"extra": "1"}, purge_props=False)
        equal(image.properties, {"arch": "arm64", "extra": "1"}, "properties kept")
        image = images.update(image, data=io.BytesIO(data), purge_props=False)
        size, md5, _ = digests([data])
        equal((image.status, image.size, image.checksum), ("active", size, md5), "a filled image")
        equal(content(images, image), data, "content")
        found = images.get(image.id)
        equal((found.name, found.min_ram, found.properties), ("fancy", 64, image.properties), "what HEAD tells")
        images.delete(image)
        refused(exc.HTTPNotFound, images.get, image.id)
        refused(exc.HTTPNotFound, images.delete, image.id)


def refusals(owner):
    images = owner.images
    with step("what is wrong is refused"):
        image = images.create(name="kept", protected=True, data=io.BytesIO(b"x"), **RAW)
        refused(exc.HTTPForbidden, images.delete, image)
        refused(exc.HTTPConflict, images.create, id=image.id, name="twice", **RAW)
        refused(exc.HTTPConflict, images.update, image, data=io.BytesIO(b"y"))
        refused(exc.HTTPBadRequest, images.create, name="odd", disk_format="pudding", container_format="bare")
        refused(exc.HTTPBadRequest, images.list, filters={"size_min": "many"})
        refused(exc.HTTPNotFound, images.get, "00000000-0000-0000-0000-000000000000")
        images.update(image, protected=False)
        images.delete(image)


def paging(owner):
    images = owner.images
    with step(f"{MANY} images are made"):
        for number in range(MANY):
            images.create(name=f"page-{number:04}", is_public=False, properties={"parity": str(number % 2)}, **RAW)
    with step("they are listed by pages"):
        names = [f"page-{number:04}" for number in range(MANY)]
        listed = list(images.list(page_size=PAGE, sort_key="name", sort_dir="asc"))
        equal([image.name for image in listed], names, "all of them, ascending")
        listed = [image.name for image in images.list(page_size=PAGE, sort_key="name", sort_dir="desc")]
        equal(listed, names[::-1], "all of them, descending")
        # The default order is by the second of creation, so only the set of names is known.
        equal(sorted(image.name for image in images.list()), names, "with the page size of the client")
        some = [image.name for image in images.list(limit=250, page_size=PAGE, sort_key="name", sort_dir="asc")]
        equal(some, names[:250], "a limit across pages")
        middle = next(images.list(filters={"name": "page-0500"}))
        after = images.list(marker=middle.id, limit=3, sort_key="name", sort_dir="asc")
        equal([image.name for image in after], names[501:504], "after a marker")
        odd = images.list(filters={"properties": {"parity": "1"}}, page_size=PAGE, sort_key="name", sort_dir="asc")
        equal([image.name for image in odd], names[1::2], "by a property")
        equal(list(images.list(filters={"status": "active"})), [], "by status")


def sharing(owner, guest):
    data = noise(5_000)
    with step("two projects share an image"):
        image = owner.images.create(name="shared", is_public=False, data=io.BytesIO(data), **RAW)
        refused(exc.HTTPNotFound, guest.images.get, image.id)
        owner.image_members.create(image, GUEST.project)
        members = owner.image_members.list(image=image)
        equal([(member.member_id, member.can_share) for member in members], [(GUEST.project, False)], "the members")
        equal([share.image_id for share in guest.image_members.list(member=GUEST.project)], [image.id], "its shares")
        equal(content(guest.images, guest.images.get(image.id)), data, "what the member reads")
        refused(exc.HTTPNotFound, guest.images.update, image.id, name="mine")
        refused(exc.HTTPNotFound, guest.images.delete, image.id)
        refused(exc.HTTPNotFound, guest.image_members.create, image.id, "a-third")
        owner.image_members.create(image, GUEST.project, can_share=True)
        guest.image_members.create(image.id, "a-third")
        equal(len(owner.image_members.list(image=image)), 2, "members after the guest shared it on")
        owner.image_members.delete(image.id, "a-third")
        owner.image_members.delete(image.id, GUEST.project)
        refused(exc.HTTPNotFound, guest.images.get, image.id)
        owner.images.delete(image)


def caching(owner, admin):
    """The client never had calls for the cache of v1; its connection asks."""
    http = admin.http_client
    data = noise(30_000)

    def cached():
        return {entry["image_id"]: entry for entry in http.get("/v1/cached_images")[1]["cached_images"]}

    def queued():
        return http.get("/v1/queued_images")[1]["queued_images"]

    with step("images are cached, queued and forgotten"):
        image = owner.images.create(name="cached", is_public=False, data=io.BytesIO(data), **RAW)
        other = owner.images.create(name="queued", is_public=False, data=io.BytesIO(data), **RAW)
        equal(content(owner.images, image), data, "the first download")
        eventually("the image is cached", lambda: image.id in cached())
        equal(content(owner.images, image), data, "the second download")
        entry = cached()[image.id]
        equal((entry["size"], entry["hits"]), (len(data), 1), "the entry")
        http.put(f"/v1/queued_images/{other.id}")
        true(other.id in queued(), "queued")
        http.delete(f"/v1/queued_images/{other.id}")
        true(other.id not in queued(), "no more queued")
        http.delete(f"/v1/cached_images/{image.id}")
        true(image.id not in cached(), "no more cached")
        for wanted in (image, other):
            content(owner.images, wanted)
        eventually("both are cached", lambda: {image.id, other.id} <= set(cached()))
        http.delete("/v1/cached_images")
        equal(cached(), {}, "a cleared cache")
        for unwanted in (image, other):
            owner.images.delete(unwanted)


def one_gibibyte(owner):
    with step("a GiB is made"), big_image() as (path, sums):
        with step("it is uploaded"), open(path, "rb") as file:
            image = owner.images.create(name="big", data=file, **RAW)
        equal((image.size, image.checksum), sums[:2], "the record")
    with step("it is downloaded"):
        equal(digests(owner.images.data(image)), sums, "what came back")
    owner.images.delete(image)


def main():
    owner, guest, admin = client(OWNER), client(GUEST), client(ADMIN)
    play(
        (life_of_an_image, owner),
        (refusals, owner),
        (paging, owner),
        (sharing, owner, guest),
        (caching, owner, admin),
        (one_gibibyte, owner),
    )


if __name__ == "__main__":
    main()
