/* Prints what getaddrinfo makes of NAME: the addresses, or its error; `getaddrinfo NAME [4|6]`. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *word(int error) {
    switch (error) {
    case EAI_NONAME: return "EAI_NONAME";
    case EAI_AGAIN: return "EAI_AGAIN";
    case EAI_FAIL: return "EAI_FAIL";
#ifdef EAI_NODATA
    case EAI_NODATA: return "EAI_NODATA";
#endif
    default: return gai_strerror(error);
    }
}

int main(int argc, char **argv) {
    struct addrinfo hints, *found, *one;
    char text[INET6_ADDRSTRLEN];
    if (argc < 2) return 2;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_family = argc < 3 ? AF_UNSPEC : argv[2][0] == '4' ? AF_INET : AF_INET6;
    int error = getaddrinfo(argv[1], NULL, &hints, &found);
    if (error) {
        puts(word(error));
        return 0;
    }
    for (one = found; one; one = one->ai_next) {
        const void *address = one->ai_family == AF_INET
            ? (const void *)&((struct sockaddr_in *)one->ai_addr)->sin_addr
            : (const void *)&((struct sockaddr_in6 *)one->ai_addr)->sin6_addr;
        puts(inet_ntop(one->ai_family, address, text, sizeof text));
    }
    freeaddrinfo(found);
    return 0;
}
