// An echo server for the report, after Boost.Asio's example of an asynchronous TCP echo server: a session for each
// connection, one io_context that knows that it has one thread.
#include <boost/asio.hpp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

namespace asio = boost::asio;
using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
public:
    explicit session(tcp::socket socket) : socket(std::move(socket)) {}

    void read() {
        socket.async_read_some(asio::buffer(data), [self = shared_from_this()](auto error, std::size_t count) {
            if (!error) self->write(count);
        });
    }

private:
    void write(std::size_t count) {
        asio::async_write(socket, asio::buffer(data, count), [self = shared_from_this()](auto error, std::size_t) {
            if (!error) self->read();
        });
    }

    tcp::socket socket;
    char data[65536];
};

static void accept(tcp::acceptor &acceptor) {
    acceptor.async_accept([&acceptor](auto error, tcp::socket socket) {
        if (!error) {
            socket.set_option(tcp::no_delay(true));
            std::make_shared<session>(std::move(socket))->read();
        }
        accept(acceptor);
    });
}

static const char *option(int argc, char **argv, const char *name, const char *otherwise) {
    for (int i = 1; i + 1 < argc; i++)
        if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
    return otherwise;
}

int main(int argc, char **argv) {
    asio::io_context context{1};
    auto address = asio::ip::make_address(option(argc, argv, "--host", "127.0.0.1"));
    tcp::acceptor acceptor{context};
    acceptor.open(tcp::v4());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind({address, static_cast<unsigned short>(std::stoi(option(argc, argv, "--port", "0")))});
    acceptor.listen(1024);
    auto place = acceptor.local_endpoint();
    std::printf("listening on %s:%d\n", place.address().to_string().c_str(), place.port());
    std::fflush(stdout);
    asio::signal_set signals{context, SIGTERM};
    signals.async_wait([&](auto, int) { context.stop(); });
    accept(acceptor);
    context.run();
}
