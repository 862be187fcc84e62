# SPDX-License-Identifier: Apache-2.0
# Debian packages by CPack, one for each component of install.cmake; `make packages` builds them. A
# new package is a component there, its name in CPACK_COMPONENTS_ALL here, and its variables.
set(packages ratls ratls-server libratls0 libratls-dev python3-ratls ratls-gramine-compat)

install(DIRECTORY python/ratls DESTINATION lib/python3/dist-packages COMPONENT python3-ratls
        EXCLUDE_FROM_ALL FILES_MATCHING PATTERN *.py PATTERN py.typed PATTERN __pycache__ EXCLUDE)

set(RATLS_MAINTAINER "The ratls authors <maintainers@ratls.invalid>" CACHE STRING
    "Who publishes the Debian packages, with an address")

# The date of the package is SOURCE_DATE_EPOCH's, where it is given.
string(TIMESTAMP package_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(cmake/debian/shlibs.in debian/shlibs)
foreach(package ${packages})
  set(documents ${CMAKE_BINARY_DIR}/debian/${package})
  configure_file(cmake/debian/changelog.in ${documents}/changelog.Debian)
  execute_process(COMMAND gzip -9nf ${documents}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  install(FILES cmake/debian/copyright ${documents}/changelog.Debian.gz
          DESTINATION share/doc/${package} COMPONENT ${package} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has one of its own
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/same_times.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${RATLS_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(same_version "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

set(CPACK_DEBIAN_RATLS_PACKAGE_NAME ratls)
set(CPACK_DEBIAN_RATLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_RATLS_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_RATLS_PACKAGE_SUGGESTS fuse3)
set(CPACK_COMPONENT_RATLS_DESCRIPTION "private sessions with code you can verify
Serves over TLS with a certificate that proves, by a quote of Intel SGX or
TDX, which program answers; and is the client that checks this proof against
a policy before it sends anything.")

# For images: what it depends on is little.
set(CPACK_DEBIAN_RATLS-SERVER_PACKAGE_NAME ratls-server)
set(CPACK_DEBIAN_RATLS-SERVER_PACKAGE_SECTION net)
set(CPACK_COMPONENT_RATLS-SERVER_DESCRIPTION "attested TLS sessions with SGX and TDX enclaves: server
Serves over TLS with a certificate that proves, by a quote of Intel SGX or
TDX, which program answers, or gives such a certificate to another server.
It has no client and little to trust, for images of enclaves.")

set(CPACK_DEBIAN_LIBRATLS0_PACKAGE_NAME libratls0)
set(CPACK_DEBIAN_LIBRATLS0_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRATLS0_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_LIBRATLS0_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/cmake/debian/triggers ${CMAKE_BINARY_DIR}/debian/shlibs)
set(CPACK_COMPONENT_LIBRATLS0_DESCRIPTION "attested TLS sessions with SGX and TDX enclaves: library
The C interface of ratls: verdicts on attested certificates and quotes,
attested keys and certificates, and a client that verifies its server.")

set(CPACK_DEBIAN_LIBRATLS-DEV_PACKAGE_NAME libratls-dev)
set(CPACK_DEBIAN_LIBRATLS-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRATLS-DEV_PACKAGE_DEPENDS "libratls0 ${same_version}")
set(CPACK_COMPONENT_LIBRATLS-DEV_DESCRIPTION "attested TLS sessions with SGX and TDX enclaves: header
The header ratls.h, and what pkg-config and CMake find the library by.")

set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_NAME python3-ratls)
set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_DEPENDS
    "python3 (>= 3.9), libratls0 (>= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_SUGGESTS "python3-requests, python3-httpx, python3-urllib3")
set(CPACK_DEBIAN_PYTHON3-RATLS_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/cmake/debian/postinst ${CMAKE_SOURCE_DIR}/cmake/debian/prerm)
set(CPACK_COMPONENT_PYTHON3-RATLS_DESCRIPTION "attested TLS sessions with SGX and TDX enclaves: Python
A client for servers that prove which code they run, and adapters for
requests, httpx and urllib3.")

set(CPACK_DEBIAN_RATLS-GRAMINE-COMPAT_PACKAGE_NAME ratls-gramine-compat)
set(CPACK_DEBIAN_RATLS-GRAMINE-COMPAT_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RATLS-GRAMINE-COMPAT_PACKAGE_RECOMMENDS ca-certificates)
# The files have the names of Gramine's own.
set(CPACK_DEBIAN_RATLS-GRAMINE-COMPAT_PACKAGE_CONFLICTS gramine)
set(CPACK_DEBIAN_RATLS-GRAMINE-COMPAT_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/cmake/debian/compat/postinst ${CMAKE_SOURCE_DIR}/cmake/debian/compat/postrm
    ${CMAKE_SOURCE_DIR}/cmake/debian/triggers)
set(CPACK_COMPONENT_RATLS-GRAMINE-COMPAT_DESCRIPTION "libraries in the place of Gramine's RA-TLS
The functions of Gramine's libra_tls_attest and libra_tls_verify_dcap for
programs with any TLS library. Verification needs no library of Intel's; what
it trusts stands in /etc/ratls/compat.toml.")

include(CPack)
