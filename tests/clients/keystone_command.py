"""python-openstackclient and openstacksdk as people of two projects who log in at Keystone, and find images by its catalogue.

Needs KEYSTONE_URL, a Keystone that knows no image service yet, and the password of its admin in KEYSTONE_PASSWORD.
"""

import os
import tempfile

import openstack

from command import Openstack
from common import endpoint, equal, noise, play, step, true

RAW = ("--disk-format", "raw", "--container-format", "bare")
KEYSTONE = os.environ["KEYSTONE_URL"]
PASSWORD = os.environ["KEYSTONE_PASSWORD"]


def login(user, project):
    return {
        "auth_url": KEYSTONE,
        "username": user,
        "password": PASSWORD,
        "project_name": project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "identity_api_version": "3",
    }


def person(admin, name, project, role):
    admin("project create", project, "--or-show")
    admin("user create", name, "--password", PASSWORD)
    admin("role add", "--user", name, "--project", project, role)
    return Openstack(**login(name, project))


def names(openstack, *words):
    return [image["Name"] for image in openstack("image list", *words)]


def cloud(directory):
    admin = Openstack(**login("admin", "admin"))
    data, path, copy = noise(50_000), os.path.join(directory, "data"), os.path.join(directory, "copy")
    with open(path, "wb") as file:
        file.write(data)

    def content(openstack, image):
        openstack("image save", "--file", copy, image)
        with open(copy, "rb") as file:
            return file.read()

    with step("an admin puts the image service into the catalogue"):
        admin("service create", "--name", "glance", "image")
        for interface in ("public", "internal", "admin"):
            admin("endpoint create", "--region", "RegionOne", "image", interface, endpoint())
        owner = person(admin, "owner", "first", "member")
        guest = person(admin, "guest", "second", "member")
        reader = person(admin, "reader", "first", "reader")
        true(len(owner("token issue")["id"]) > 100, "a token")
    with step("an image lives in its project"):
        image = owner("image create", *RAW, "--file", path, "--shared", "one")["id"]
        equal(content(owner, image), data, "what its owner reads")
        equal((names(owner), names(reader), names(guest)), (["one"], ["one"], []), "who lists it")
        # The command takes the refusal for the data, and tells that this has another checksum.
        reader.fails("Unable to download image", "image save", "--file", copy, image)
        reader.fails("403", "image create", *RAW, "two")
        reader.fails("403", "image set", "--name", "two", image)
        guest.fails(f"No Image found for {image}", "image show", image)
        owner.fails("403", "image set", "--public", image)
    with step("its owner shares it, and the other project takes it"):
        # By name, for whoever may ask Keystone for projects.
        owner_project, guest_project = (
            admin("project show", name)["id"] for name in ("first", "second")
        )
        equal(owner("image show", image)["owner"], owner_project, "its owner")
        owner("image add project", image, guest_project)
        guest("image set", "--accept", image)
        equal(names(guest), ["one"], "listed once accepted")
        equal(content(guest, image), data, "what the other project reads")
        guest.fails("403", "image set", "--name", "mine", image)
    with step("an admin publishes it and puts it to rest"):
        admin("image set", "--public", image)
        equal(names(guest, "--public"), ["one"], "listed as public")
        admin("image set", "--deactivate", image)
        guest.fails("Unable to download image", "image save", "--file", copy, image)
        admin("image set", "--activate", image)
        true(admin("cached image list") is not None, "the cache")
        owner.fails("403", "cached image list")
    with step("openstacksdk finds it as well"):
        settings = login("guest", "second")
        settings.pop("identity_api_version")
        connection = openstack.connect(region_name="RegionOne", auth={name: value for name, value in settings.items()})
        equal(connection.image.find_image("one").id, image, "by name")
        equal(connection.image.download_image(image).content, data, "downloaded")
        mine = connection.create_image("mine", filename=path, disk_format="raw", container_format="bare", wait=True)
        equal(mine.owner, guest_project, "whose")
        connection.delete_image(mine.id)
    with step("its owner deletes it"):
        owner("image delete", image)
        equal(names(guest), [], "nothing left")


def main():
    with tempfile.TemporaryDirectory() as directory:
        play((cloud, directory))


if __name__ == "__main__":
    main()
