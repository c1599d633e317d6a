"""python-openstackclient as the users of two projects, which a proxy tells apart by their `admin_token`."""

import os
import tempfile

from command import Openstack
from common import Caller, endpoint, equal, noise, play, step
from front import Front

RAW = ("--disk-format", "raw", "--container-format", "bare")
OWNER, GUEST = Caller(), Caller()


def names(openstack, *words):
    return [image["Name"] for image in openstack("image list", *words)]


def sharing(owner, guest, directory):
    data, path = noise(5_000), os.path.join(directory, "data")

    def content(openstack, image):
        copy = os.path.join(directory, "copy")
        openstack("image save", "--file", copy, image)
        with open(copy, "rb") as file:
            return file.read()

    with open(path, "wb") as file:
        file.write(data)
    with step("two projects share an image"):
        image = owner("image create", *RAW, "--file", path, "--shared", "--tag", "ours", "shared")["id"]
        equal(owner("image show", image)["owner"], OWNER.project, "its owner")
        guest.fails(f"No Image found for {image}", "image show", image)
        member = owner("image add project", image, GUEST.project)
        equal((member["member_id"], member["status"]), (GUEST.project, "pending"), "the member")
        owner.fails("409", "image add project", image, GUEST.project)
        equal(content(guest, image), data, "what a member reads")
        equal(names(guest), [], "not yet accepted")
        equal(names(guest, "--shared", "--member-status", "pending"), ["shared"], "pending")
        owner.fails("403", "image set", "--accept", "--project", GUEST.project, image)
        for word, status in (("--reject", "rejected"), ("--pending", "pending"), ("--accept", "accepted")):
            guest("image set", word, "--project", GUEST.project, image)
            equal(owner("image member get", image, GUEST.project)["status"], status, "as the owner sees it")
            equal(names(guest), ["shared"] if status == "accepted" else [], f"listed when {status}")
        guest.fails("403", "image set", "--name", "mine", image)
        guest.fails("Failed to delete 1 of 1 images", "image delete", image)
        guest.fails("403", "image add project", image, "a-third")
        owner("image add project", image, "a-third")
        equal(len(owner("image member list", image)), 2, "members, for the owner")
        equal([member["Member ID"] for member in guest("image member list", image)], [GUEST.project], "for a member")
        owner("image remove project", image, GUEST.project)
        guest.fails(f"No Image found for {image}", "image show", image)
    with step("others see what is in the community, and nothing private"):
        owner("image set", "--private", image)
        owner.fails("403", "image add project", image, GUEST.project)
        owner("image set", "--community", image)
        equal(content(guest, image), data, "what anybody reads")
        equal(names(guest, "--tag", "ours"), [], "not listed unless")
        equal(names(guest, "--community", "--project", OWNER.project), ["shared"], "asked for")
        guest.fails("403", "cached image list")
        owner("image delete", image)


def strangers(settings):
    with step("a token that nobody knows is refused"):
        Openstack(token="of-nobody", **settings).fails("401", "image list")


def main():
    front = Front(endpoint(), {"of-owner": OWNER, "of-guest": GUEST})
    # This way of authentication takes the endpoint as it is, with its version.
    settings = {"auth_type": "admin_token", "endpoint": f"{front.endpoint()}/v2"}
    owner, guest = (Openstack(token=token, **settings) for token in ("of-owner", "of-guest"))
    with tempfile.TemporaryDirectory() as directory:
        play((sharing, owner, guest, directory), (strangers, settings))


if __name__ == "__main__":
    main()
