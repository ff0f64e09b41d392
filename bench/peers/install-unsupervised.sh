#!/bin/sh
# Installs the peers of bench/unsupervised-peers.ts: python ones in bench/peers/.venv-unsupervised (python 3.11: the
# wheel of SAMSEG is for no other), Anima's graph cut in bench/peers/.anima (skipped with --no-anima).
# ANIMA_SOURCE names another place to clone from; ITK comes from Debian and needs root once.
set -e
cd "$(dirname "$0")"
python3.11 -m venv .venv-unsupervised
.venv-unsupervised/bin/pip install --quiet --disable-pip-version-check -r requirements-unsupervised.txt
.venv-unsupervised/bin/pip list --format=freeze | grep -i -E '^(samseg|tensorflow-cpu|higra|scikit-image|scikit-learn|scikit-fuzzy|numpy)=='
if [ "$1" = --no-anima ]; then exit 0; fi

dpkg -s libinsighttoolkit5-dev libfftw3-dev libtclap-dev cmake g++ > /dev/null 2>&1 ||
  apt-get install -y --no-install-recommends libinsighttoolkit5-dev libfftw3-dev libtclap-dev cmake g++ git
mkdir -p .anima
cd .anima
if [ ! -d source ]; then git clone --quiet --no-checkout "${ANIMA_SOURCE:-https://github.com/Inria-Empenn/Anima-Public}" source; fi
git -C source checkout --quiet d9fb323d4d15b228318e42b42df16c7ebbf8f6df -- Anima
# Two files and templates of headers: the tool alone, without the superbuild.
cat > CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.18)
project(GraphCut C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(ITK REQUIRED)
include(${ITK_USE_FILE})
set(anima ${CMAKE_SOURCE_DIR}/source/Anima)
set(cut ${anima}/segmentation/graph_cut)
set(tool animaGcStremMsLesionsSegmentation)
file(WRITE ${CMAKE_BINARY_DIR}/AnimaGraphCutSegmentationExport.h "#define ANIMAGRAPHCUTSEGMENTATION_EXPORT\n")
add_executable(${tool} ${cut}/animaRandomInitializer.cxx ${cut}/gc_strem_ms_lesions_segmentation/${tool}.cxx)
target_include_directories(${tool} PRIVATE
  ${CMAKE_BINARY_DIR} ${cut} ${cut}/gc_strem_ms_lesions_segmentation ${anima}/math-tools/common)
target_compile_definitions(${tool} PRIVATE ANIMA_VERSION="4.2")
target_link_libraries(${tool} ${ITK_LIBRARIES})
CMAKE
cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS="-O3 -march=native" > build.log 2>&1
make -C build -j2 >> build.log 2>&1
ls build/animaGcStremMsLesionsSegmentation
