// FoundationDB's errors, as far as the simulation has them.
#pragma once

#include <cstdint>

namespace fdbsim::error {

constexpr int32_t transactionTooOld = 1007;
constexpr int32_t futureVersion = 1009;
constexpr int32_t notCommitted = 1020;
constexpr int32_t commitUnknownResult = 1021;
constexpr int32_t transactionCancelled = 1025;
constexpr int32_t transactionTimedOut = 1031;
constexpr int32_t processBehind = 1037;
constexpr int32_t databaseLocked = 1038;
constexpr int32_t clusterVersionChanged = 1039;
constexpr int32_t commitProxyMemoryLimitExceeded = 1042;
constexpr int32_t grvProxyMemoryLimitExceeded = 1078;
constexpr int32_t operationCancelled = 1101;
constexpr int32_t tagThrottled = 1213;
constexpr int32_t noClusterFileFound = 1515;
constexpr int32_t clientInvalidOperation = 2000;
constexpr int32_t keyOutsideLegalRange = 2004;
constexpr int32_t invertedRange = 2005;
constexpr int32_t invalidOptionValue = 2006;
constexpr int32_t invalidOption = 2007;
constexpr int32_t networkNotSetup = 2008;
constexpr int32_t networkAlreadySetup = 2009;
constexpr int32_t readVersionAlreadySet = 2010;
constexpr int32_t versionInvalid = 2011;
constexpr int32_t rangeLimitsInvalid = 2012;
constexpr int32_t futureNotSet = 2015;
constexpr int32_t usedDuringCommit = 2017;
constexpr int32_t invalidMutationType = 2018;
constexpr int32_t transactionInvalidVersion = 2020;
constexpr int32_t noCommitVersion = 2021;
constexpr int32_t transactionTooLarge = 2101;
constexpr int32_t keyTooLarge = 2102;
constexpr int32_t valueTooLarge = 2103;
constexpr int32_t connectionStringInvalid = 2104;
constexpr int32_t unsupportedOperation = 2108;
constexpr int32_t specialKeysApiFailure = 2117;
constexpr int32_t apiVersionNotSupported = 2203;
constexpr int32_t exactModeWithoutLimits = 2210;

// textOf returns the name of an error.
const char* textOf(int32_t code);

// retryable reports whether on_error starts the transaction again.
bool retryable(int32_t code);

}  // namespace fdbsim::error
