#include "CServerSupport.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

size_t server_split = SIZE_MAX;
const char *server_local;
int server_loops = 1;

struct sockaddr_in server_address(int argc, char **argv) {
    static const struct option names[] = {
        {"host", required_argument, NULL, 'h'}, {"port", required_argument, NULL, 'p'},
        {"split", required_argument, NULL, 's'}, {"local", required_argument, NULL, 'l'},
        {"loops", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
    const char *host = "127.0.0.1";
    int port = 0, option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'h') host = optarg;
        else if (option == 'p') port = atoi(optarg);
        else if (option == 's' && atol(optarg) > 0) server_split = (size_t)atol(optarg);
        else if (option == 'l') server_local = optarg;
        else if (option == 'n' && atoi(optarg) > 0) server_loops = atoi(optarg);
        else exit(64);
    }

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "%s is not an IPv4 address\n", host);
        exit(64);
    }
    return address;
}

void server_announce(int descriptor) {
    if (server_local != NULL) {
        printf("listening on %s\n", server_local);
        fflush(stdout);
        return;
    }
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char host[INET_ADDRSTRLEN];
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
        perror("getsockname");
        exit(1);
    }
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    printf("listening on %s:%d\n", host, ntohs(address.sin_port));
    fflush(stdout);
}
