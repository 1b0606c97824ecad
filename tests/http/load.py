"""Scores leads over several connections at once and notes what was acknowledged."""

import http.client
import threading

from harness import Client, equal, until


class Load:
    """`acknowledged` holds lead_id -> body of each whole 200. What broke a
    connection is in `broken`, any other trouble in `troubles`."""

    def __init__(self, server, key, threads=8):
        self.server, self.key = server, key
        self.acknowledged, self.broken, self.troubles = {}, [], []
        self.stopped = False
        self.threads = [threading.Thread(target=self.run, args=(at,), daemon=True)
                        for at in range(threads)]
        for one in self.threads:
            one.start()

    def run(self, name):
        client, count = Client(self.server.port, self.key), 0
        while not self.stopped:
            count += 1
            lead = "lead-%d-%d" % (name, count)
            try:
                answer = client.post("/v1/score", {"lead": {"id": lead, "points": count % 11}})
                if answer.status != 200:
                    raise AssertionError("answered %r" % answer)
                said = answer.json
                equal((said["lead_id"], said["score"], said["recorded"]),
                      (lead, count % 11 * 10, True), "an answer under load")
                self.acknowledged[lead] = answer.body
            except (OSError, http.client.HTTPException) as trouble:
                self.broken.append(trouble)
                break
            except AssertionError as trouble:
                self.troubles.append(trouble)
                break
        client.close()

    def wait_for(self, count):
        until(lambda: len(self.acknowledged) >= count or self.troubles, "%d answers" % count)

    def end(self):
        """Waits until all threads are done, and gives the first trouble there was."""
        self.stopped = True
        for one in self.threads:
            one.join(60)
            equal(one.is_alive(), False, "a client that hangs")
        if self.troubles:
            raise self.troubles[0]


def check_all_found(server, key, acknowledged):
    """Every acknowledged score is there, as it was told."""
    client = Client(server.port, key)
    for lead, body in acknowledged.items():
        name = body.split(b'"id":"', 1)[1][:26].decode("ascii")
        answer = client.get("/v1/scores/" + name)
        equal((answer.status, answer.body), (200, body), "the recorded score of " + lead)
    client.close()
