# SPDX-License-Identifier: Apache-2.0
# The libraries in the place of Gramine's (docs/gramine-compat.md). They have Gramine's names, without
# a version in them.
function(ratls_gramine_library target name source)
  add_library(${target} SHARED src/compat/exported/${source})
  target_link_libraries(${target} PRIVATE ratls_compat)
  set(map ${CMAKE_SOURCE_DIR}/src/compat/exported/ra_tls.map)
  target_link_options(${target} PRIVATE -Wl,--as-needed -Wl,--version-script=${map})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} LINK_DEPENDS ${map}
                                             LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
ratls_gramine_library(ra_tls_attest ra_tls_attest ra_tls_attest.cpp)
ratls_gramine_library(ra_tls_verify_dcap ra_tls_verify_dcap ra_tls_verify.cpp)
# The name that is used inside of enclaves.
ratls_gramine_library(ra_tls_verify_dcap_gramine ra_tls_verify_dcap_gramine ra_tls_verify.cpp)

if(RATLS_TESTS)
  # The same with files of the working directory in place of the two fixed paths; never installed.
  ratls_gramine_library(ra_tls_attest_for_tests ra_tls_attest ra_tls_attest.cpp)
  ratls_gramine_library(ra_tls_verify_for_tests ra_tls_verify_dcap ra_tls_verify.cpp)
  foreach(target ra_tls_attest_for_tests ra_tls_verify_for_tests)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/for_tests)
    target_compile_definitions(${target} PRIVATE RATLS_COMPAT_FILE="compat.toml"
                                                 RATLS_COMPAT_ATTESTATION="attestation")
  endforeach()
endif()
