// libsql is written in Rust, whose standard library asks for this function. Wine 8 does not have it; Windows does.
// https://learn.microsoft.com/en-us/windows/win32/seccng/processprng

#include <windows.h>

typedef unsigned char(__stdcall *Fill)(void *, unsigned long);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *data, size_t length) {
  static Fill fill;
  // RtlGenRandom has this name in its library.
  if (!fill) fill = (Fill)(void *)GetProcAddress(LoadLibraryA("advapi32.dll"), "SystemFunction036");
  return fill(data, (unsigned long)length);
}
