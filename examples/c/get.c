/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches a path from an attested server. usage: get POLICY URL [PATH [BODY]] */
#include <ratls.h>
#include <stdio.h>
#include <string.h>

static int fail(ratls_error *error) {
  const int status = ratls_exit_code(ratls_error_code(error));
  fprintf(stderr, "error: %s\nhint:  %s\n", ratls_error_message(error), ratls_error_hint(error));
  if (ratls_error_report(error) != NULL) fputs(ratls_error_report(error), stderr);
  ratls_error_free(error);
  return status;
}

static int print_body(ratls_response *response) {
  char part[4096];
  size_t got = 0;
  ratls_error *error = NULL;
  do {
    if (ratls_response_read(response, part, sizeof part, &got, &error) != RATLS_OK) {
      return fail(error);
    }
    if (fwrite(part, 1, got, stdout) != got) return 2;
  } while (got > 0);
  return fflush(stdout) == 0 ? 0 : 2;
}

static int exchange(ratls_client *client, const ratls_request *request) {
  ratls_response *response = NULL;
  ratls_error *error = NULL;
  int status = 0;
  /* The server is verified in here, before the request is sent. */
  if (ratls_client_request(client, request, &response, &error) != RATLS_OK) return fail(error);
  fprintf(stderr, "status: %d\n%s", ratls_response_status(response),
          ratls_response_identity(response));
  status = print_body(response);
  ratls_response_free(response);
  return status;
}

int main(int argc, char **argv) {
  ratls_policy *policy = NULL;
  ratls_client *client = NULL;
  ratls_error *error = NULL;
  ratls_request request = RATLS_REQUEST_INIT;
  int status = 2;
  if (argc < 3 || argc > 5) {
    fprintf(stderr, "usage: get POLICY URL [PATH [BODY]]\nratls %s\n", ratls_version());
    return status;
  }
  if (argc > 3) request.path = argv[3];
  if (argc > 4) {
    request.method = "POST";
    request.body = argv[4];
    request.body_size = strlen(argv[4]);
  }
  if (ratls_policy_load(argv[1], &policy, &error) != RATLS_OK) return fail(error);
  if (ratls_client_open(argv[2], policy, NULL, &client, &error) == RATLS_OK) {
    status = exchange(client, &request);
  } else {
    status = fail(error);
  }
  ratls_client_free(client);
  ratls_policy_free(policy);
  return status;
}
