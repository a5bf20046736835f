/* SPDX-License-Identifier: MIT */
#include "http/gone.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ESTABLISHED 1 /* <netinet/tcp.h> has the names of states, and another struct tcp_info */

bool
pgs_client_has_left(h2o_req_t *req)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    return getsockopt(h2o_socket_get_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_state != ESTABLISHED;
}
