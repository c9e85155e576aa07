"""reader.py as a LitServe API: `python litserve_app.py PORT`."""

import sys

import litserve
from reader import read


class Digits(litserve.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        return request["image_vector"]

    def predict(self, image_vector):
        return read(image_vector)

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1)
