# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0

# Builds mediasoup's worker from the sources in the npm package with the libraries of Debian 12, whose versions 3.12.16 requires. The
# build of the package requires a newer meson than Debian has, and downloads files.

SOURCES := node_modules/mediasoup/worker
OBJECTS := $(patsubst $(SOURCES)/%,objects/%.o,$(shell find $(SOURCES)/src -name '*.cpp') \
	$(shell find $(SOURCES)/deps/libwebrtc/libwebrtc -name '*.cc'))

CXXFLAGS := -std=c++17 -O2 -DNDEBUG -DMS_LITTLE_ENDIAN -DMS_EXECUTABLE -w -I$(SOURCES)/include -I$(SOURCES)/deps/libwebrtc \
	-I$(SOURCES)/deps/libwebrtc/libwebrtc -I/usr/include/srtp2
LIBS := -luv -lsrtp2 -lusrsctp -lssl -lcrypto $(shell pkg-config --libs absl_flat_hash_map absl_flat_hash_set absl_btree \
	absl_strings absl_optional absl_bad_optional_access absl_raw_hash_set) -lpthread -ldl

mediasoup-worker: $(OBJECTS)
	$(CXX) -o $@ $^ $(LIBS)

objects/%.o: $(SOURCES)/%
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -c -o $@ $<
