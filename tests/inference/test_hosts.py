"""Host names are checked against DNS rebinding."""

ALLOWED = [
    *("127.0.0.1:7000", "[::1]:7000", "LOCALHOST:7000", "frontend:3000", "doodle.local", "a.localhost:1", "x.internal", ""),
    *("doodle.example.org", "Doodle.Example.Org:443"),
]
OTHERS = ["evil.example:7000", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:7000:x.y"]


def test_answers_only_to_addresses_private_names_and_allowed_hosts(models_folder, serve):
    with serve(models_folder, hosts="doodle.example.org") as client:
        for host in ALLOWED:
            assert client.get("/healthz", headers={"Host": host}).status_code == 200, host
        for host in OTHERS:
            response = client.post("/predict", json={"strokes": []}, headers={"Host": host})
            assert response.status_code == 421, host
            assert response.json()["detail"].endswith("the operator can add it to DOODLE_HOSTS")


def test_a_star_allows_every_name(models_folder, serve):
    with serve(models_folder, hosts="*") as client:
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 200
