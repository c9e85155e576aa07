"""Host names, against DNS rebinding: a website whose name leads to this machine gets no answer."""

ALLOWED = [
    *("127.0.0.1:7000", "[::1]:7000", "LOCALHOST:7000", "frontend:3000", "doodle.local", "a.localhost:1", "x.internal", ""),
    *("doodle.example.org", "Doodle.Example.Org:443"),
]
OTHERS = ["evil.example:7000", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:7000:x.y"]


def test_answers_to_addresses_private_names_and_those_in_the_settings_alone(models_folder, serve):
    with serve(models_folder, hosts="doodle.example.org") as client:
        for host in ALLOWED:
            assert client.get("/healthz", headers={"Host": host}).status_code == 200, host
        for host in OTHERS:
            response = client.post("/predict", json={"strokes": []}, headers={"Host": host})
            assert response.status_code == 421, host
            assert response.json()["detail"].endswith("the operator can add it to DOODLE_HOSTS")


def test_every_name_can_be_allowed(models_folder, serve):
    with serve(models_folder, hosts="*") as client:
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 200
