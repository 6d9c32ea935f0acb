import pathlib, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from traced import total


class Traced(unittest.TestCase):
    def test_the_total_is_of_all_calls(self):
        self.assertEqual(total("""syscall                  calls
---------------- ---------
read                   401
write                  400
epoll_wait              12
---------------- ---------
total                  813
"""), 813)


if __name__ == "__main__":
    unittest.main()
