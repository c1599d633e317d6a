"""python-openstackclient against a server without authentication, where everybody is the one administrator."""

import os
import tempfile
import uuid

import requests

from command import Openstack
from common import MANY, PAGE, big_image, digests, endpoint, equal, eventually, file_digests, noise, play, step, true

RAW = ("--disk-format", "raw", "--container-format", "bare")
openstack = Openstack(auth_type="none", endpoint=endpoint())


def names(*words):
    return [image["Name"] for image in openstack("image list", *words)]


def show(image):
    return openstack("image show", image)


def small_file(directory, data):
    path = os.path.join(directory, "data")
    with open(path, "wb") as file:
        file.write(data)
    return path


def saved(directory, image):
    path = os.path.join(directory, "saved")
    openstack("image save", "--file", path, image)
    with open(path, "rb") as file:
        return file.read()


def life_of_an_image(directory):
    data = noise(70_000)
    size, md5, sha512 = digests([data])
    with step("an image is registered, changed and removed"):
        image = openstack(
            "image create", *RAW, "--min-ram", "64", "--tag", "new", "--property", "colour=grün", "--private", "plain"
        )
        equal((image["status"], image["visibility"], image["tags"]), ("queued", "private", ["new"]), "a new image")
        equal(image["properties"]["colour"], "grün", "a property")
        openstack(
            "image set", "--name", "fancy", "--min-disk", "1", "--property", "arch=arm64", "--tag", "more", "plain"
        )
        image = show("fancy")
        equal((image["min_disk"], image["min_ram"], sorted(image["tags"])), (1, 64, ["more", "new"]), "changes")
        equal((image["properties"]["arch"], image["properties"]["colour"]), ("arm64", "grün"), "properties")
        openstack("image unset", "--property", "colour", "--tag", "new", "fancy")
        image = show("fancy")
        true("colour" not in image["properties"], "a property that was unset")
        equal(image["tags"], ["more"], "a tag that was unset")
        openstack("image delete", "fancy")
        openstack.fails("No Image found for fancy", "image show", "fancy")
        # Which is what this client makes of a name that it does not find.
        openstack.fails("Multi Backend support not enabled", "image delete", "fancy")
    with step("an image is made from a file and from standard input, and saved"):
        path = small_file(directory, data)
        openstack("image create", *RAW, "--file", path, "filled")
        image = show("filled")
        equal((image["status"], image["size"], image["checksum"]), ("active", size, md5), "a filled image")
        equal(image["properties"]["os_hash_value"], sha512, "its digest")
        equal(saved(directory, "filled"), data, "what was saved")
        with open(path, "rb") as file:
            openstack.process("image", "create", *RAW, "piped", stdin=file)
        equal(openstack.process("image", "save", "piped"), data, "what was written to standard output")
        openstack("image create", *RAW, "--file", path, "--progress", "watched")
        equal(show("watched")["checksum"], md5, "with a bar of progress")
        openstack("image delete", "filled", "piped", "watched")


def states(directory):
    data = noise(1_000)
    with step("an image is protected, hidden and deactivated"):
        openstack("image create", *RAW, "--file", small_file(directory, data), "--protected", "kept")
        openstack.fails("Failed to delete 1 of 1 images", "image delete", "kept")
        openstack("image set", "--unprotected", "--hidden", "kept")
        equal((names("--name", "kept"), names("--name", "kept", "--hidden")), ([], ["kept"]), "listed")
        openstack("image set", "--unhidden", "kept")
        equal(names("--name", "kept"), ["kept"], "shown again")
        openstack("image set", "--deactivate", "kept")
        equal(show("kept")["status"], "deactivated", "status")
        openstack("image set", "--activate", "kept")
        equal(saved(directory, "kept"), data, "content")
        # By its id, since a name is looked up in a listing, which is without the images of the community.
        image = show("kept")["id"]
        for visibility in ("public", "community", "private", "shared"):
            openstack("image set", f"--{visibility}", image)
            equal(show(image)["visibility"], visibility, "visibility")
        openstack("image delete", "kept")


def settings():
    image = openstack("image create", *RAW, "seen")["id"]
    with step("another setting leads to the same images"):
        # This way of authentication takes the endpoint as it is, with its version.
        other = Openstack(auth_type="admin_token", token="anything", endpoint=f"{endpoint()}/v2")
        equal(other("image show", image), show(image), "an image")
        other("image delete", image)
        openstack.fails(f"No Image found for {image}", "image show", image)


def refusals():
    with step("what is wrong is refused"):
        image = openstack("image create", *RAW, "there")
        openstack.fails("409", "image create", *RAW, "--id", image["id"], "twice")
        openstack.fails("400", "image create", *RAW, "--min-ram", "-1", "odd")
        openstack.fails("No Image found for nobody", "image list", "--marker", "nobody")
        openstack.fails("Multi Backend support not enabled", "image stores list")
        # Projects are looked up in the identity service, which is not at this endpoint.
        openstack.fails("", "image add project", "there", "anybody")
        equal(openstack("image member list", "there"), [], "members")
        openstack("image delete", "there")


def paging():
    # In the name and as a tag, so that the server may hold images of earlier runs.
    run = uuid.uuid4().hex
    wanted = [f"{run}-{number:04}" for number in range(MANY)]
    with step(f"{MANY} images are made, by plain requests, since a command each takes too long"):
        http = requests.Session()
        for number, name in enumerate(wanted):
            body = {"name": name, "tags": [run, f"t{number % 10}"]}
            equal(http.post(f"{endpoint()}/v2/images", json=body).status_code, 201, "the status")
    with step("they are listed by pages"):
        equal(names("--tag", run, "--sort", "name:asc"), wanted, "all of them, ascending")
        equal(names("--tag", run, "--sort", "name:desc"), wanted[::-1], "all of them, descending")
        # The command sorts what it got by name, so the marker that ends a page is only known of a page of one.
        (first,) = names("--tag", run, "--limit", "1")
        (second,) = names("--tag", run, "--limit", "1", "--marker", first)
        page = names("--tag", run, "--limit", PAGE, "--marker", first)
        equal((len(page), first in page, second in page), (PAGE, False, True), "a page after a marker")
        equal(names("--tag", run, "--tag", "t7", "--sort", "name"), wanted[7::10], "by two tags")
        equal(names("--name", wanted[500]), [wanted[500]], "by name")
        equal(names("--tag", run, "--status", "active"), [], "by status")


def caching(directory):
    path = small_file(directory, noise(30_000))

    def cached(state="cached"):
        return {image["ID"] for image in openstack("cached image list") if image["State"] == state}

    with step("images are cached, queued and forgotten"):
        openstack("cached image clear")
        image = openstack("image create", *RAW, "--file", path, "cached")["id"]
        other = openstack("image create", *RAW, "--file", path, "queued")["id"]
        saved(directory, image)
        eventually("the image is cached", lambda: cached() == {image})
        openstack("cached image queue", other)
        eventually("the queued image is cached", lambda: cached() == {image, other})
        equal(cached("queued"), set(), "the queue")
        openstack.fails("nobody", "cached image queue", "nobody")
        openstack("cached image delete", image)
        equal(cached(), {other}, "after one was removed")
        openstack("cached image clear", "--queue")
        equal(cached(), {other}, "after the queue was cleared")
        openstack("cached image clear", "--cache")
        equal(cached(), set(), "after the cache was cleared")
        openstack("image delete", image, other)


def one_gibibyte(directory):
    with step("a GiB is made"), big_image() as (path, sums):
        with step("it is uploaded"):
            openstack("image create", *RAW, "--file", path, "big")
    image = show("big")
    equal((image["size"], image["checksum"], image["properties"]["os_hash_value"]), sums, "the record")
    with step("it is downloaded"):
        path = os.path.join(directory, "big")
        openstack("image save", "--file", path, "big")
        equal(file_digests(path), sums, "what came back")
    openstack("image delete", "big")


def main():
    with tempfile.TemporaryDirectory() as directory:
        play(
            (life_of_an_image, directory),
            (states, directory),
            (settings,),
            (refusals,),
            (caching, directory),
            (paging,),
            (one_gibibyte, directory),
        )


if __name__ == "__main__":
    main()
